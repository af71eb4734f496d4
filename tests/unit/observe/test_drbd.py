"""DRBD.

get-gi, the plans of `adjust` and wipefs are what drbd-utils 9.22 and util-linux 2.38 (Debian 12)
printed here; /proc/drbd of 8.4.11 and the JSON of 9 are written after the kernel's
drbd_proc.c and drbdsetup(8), from memory of running systems.
"""

import re
import subprocess
from itertools import product
from typing import get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.observe.drbd import parse, parse_adjust, parse_kernel
from san.observe.drbd import shell as script_of
from san.observe.drbd_claims import Claim, Claims
from san.observe.drbd_devices import Device, parse_json, parse_proc
from san.observe.drbd_generations import JUST_CREATED, Flag, Generation, parse_generations
from san.observe.sections import Section, UnreadableError
from san.render.programs import CONTENT


def shell(resources, **how):
    return script_of(resources, content=CONTENT, **how)


HEALTHY = """\
version: 8.4.11 (api:1/proto:86-101)
srcversion: 1A9F77B1CA5FF92235C2213
 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:1049212 nr:0 dw:704 dr:1051205 al:9 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""
RESYNC = """\
version: 8.4.11 (api:1/proto:86-101)
srcversion: 1A9F77B1CA5FF92235C2213

 1: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-p---
    ns:0 nr:26624 dw:26624 dr:0 al:0 bm:0 lo:2 pe:2 ua:2 ap:0 ep:1 wo:f oos:1021852
	[>....................] sync'ed:  2.7% (1021852/1048476)K
	finish: 0:00:38 speed: 26,624 (26,624) want: 41,000 K/sec
 4: cs:VerifyS ro:Secondary/Primary ds:UpToDate/UpToDate B r-----
    ns:0 nr:0 dw:0 dr:4 al:0 bm:0 lo:2 pe:2 ua:2 ap:0 ep:1 wo:f oos:12
	[==>.................] verified: 15.9% (1021852/1048476)K
	finish: 0:00:38 speed: 26,624 (26,624) want: 41,000 K/sec
"""
ALONE = """\
version: 8.4.11 (api:1/proto:86-101)
 0: cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----
    ns:0 nr:0 dw:704 dr:1051205 al:9 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:24
 1: cs:WFConnection ro:Secondary/Unknown ds:Outdated/DUnknown C s-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
 2: cs:Unconfigured
"""


def test_a_healthy_device_of_84():
    device = parse_proc(HEALTHY.splitlines())[0]
    assert device == Device(
        "Connected", "Established", "Primary", "Secondary", "UpToDate", "UpToDate", 0
    )
    assert device.connected
    assert device.healthy


def test_a_resync_and_a_verify():
    """The state says both that the nodes talk and what they do."""
    devices = parse_proc(RESYNC.splitlines())
    assert devices[1] == Device(
        *("Connected", "SyncTarget", "Secondary", "Primary", "Inconsistent", "UpToDate"),
        out_of_sync=1021852,
        resync_percent=2.7,
        resync_paused=True,
    )
    assert (devices[4].replication, devices[4].resync_percent) == ("VerifyS", 15.9)
    assert devices[1].connected
    assert not devices[1].healthy


def test_devices_without_their_peer():
    devices = parse_proc(ALONE.splitlines())
    assert (devices[0].connection, devices[0].replication) == ("StandAlone", None)
    assert (devices[0].peer_role, devices[0].peer_disk) == ("Unknown", "DUnknown")
    assert devices[0].out_of_sync == 24
    assert (devices[1].connection, devices[1].io_suspended) == ("WFConnection", True)
    assert not devices[1].connected
    assert (devices[2].connection, devices[2].disk) == ("StandAlone", "Diskless")


def test_a_loaded_module_without_devices_is_empty():
    assert parse_proc(["version: 8.4.11 (api:1/proto:86-101)", "srcversion: 1A9F"]) == {}


@pytest.mark.parametrize("text", ["", "cs:Connected", "version: 8.4.11\n 0: cs:What? ro:x"])
def test_proc_that_is_no_proc(text):
    with pytest.raises(UnreadableError):
        parse_proc(text.splitlines())


NINE = """\
[{"name": "r0", "node-id": 0, "role": "Primary", "suspended": false, "write-ordering": "flush",
  "devices": [{"volume": 0, "minor": 0, "disk-state": "UpToDate", "client": false, "quorum": true,
    "size": 1048412, "read": 1049476, "written": 0, "al-writes": 0, "bm-writes": 0,
    "upper-pending": 0, "lower-pending": 0}],
  "connections": [{"peer-node-id": 1, "name": "otter", "connection-state": "Connected",
    "congested": false, "peer-role": "Secondary", "ap-in-flight": 0, "rs-in-flight": 0,
    "peer_devices": [{"volume": 0, "replication-state": "Established",
      "peer-disk-state": "UpToDate", "peer-client": false, "resync-suspended": "no",
      "received": 0, "sent": 1048412, "out-of-sync": 0, "pending": 0, "unacked": 0,
      "has-sync-details": false, "has-online-verify-details": false,
      "percent-in-sync": 100.00}]}]}]
"""


def test_a_healthy_device_of_9_is_that_of_84():
    assert parse_json(NINE) == parse_proc(HEALTHY.splitlines())


def test_a_resync_of_9():
    text = (
        NINE.replace("Established", "SyncSource")
        .replace('"peer-disk-state": "UpToDate"', '"peer-disk-state": "Inconsistent"')
        .replace('"out-of-sync": 0', '"out-of-sync": 1021852')
        .replace("100.00", "2.54")
        .replace('"resync-suspended": "no"', '"resync-suspended": "user,peer"')
    )
    assert parse_json(text)[0] == Device(
        *("Connected", "SyncSource", "Primary", "Secondary", "UpToDate", "Inconsistent"),
        out_of_sync=1021852,
        resync_percent=2.54,
        resync_paused=True,
    )


def test_states_of_9_have_the_words_of_84():
    text = (
        NINE.replace('"Connected"', '"Connecting"')
        .replace("Established", "Off")
        .replace('"peer-disk-state": "UpToDate"', '"peer-disk-state": "DUnknown"')
        .replace('"peer-role": "Secondary"', '"peer-role": "Unknown"')
    )
    device = parse_json(text)[0]
    assert (device.connection, device.replication) == ("WFConnection", None)
    assert device.resync_percent is None


def test_a_resource_of_9_without_any_connection_is_alone():
    text = NINE[: NINE.index('"connections"')] + '"connections": []}]'
    assert parse_json(text)[0] == Device(
        "StandAlone", None, "Primary", "Unknown", "UpToDate", "DUnknown", 0
    )


@pytest.mark.parametrize("text", ["", "{}", "[7]", '[{"devices": [{"minor": 0}]}]'])
def test_json_that_is_no_status(text):
    if text == "{}":
        assert parse_json(text) == {}
        return
    with pytest.raises(UnreadableError):
        parse_json(text)


def test_three_nodes_are_not_a_pair():
    third = NINE.replace('"connections": [{', '"connections": [{"name": "third"}, {')
    with pytest.raises(UnreadableError) as raised:
        parse_json(third)
    assert str(raised.value) == (
        "DRBD's resource r0 has 2 peers (third, otter), and this library knows pairs: leave it "
        "with one (drbdadm adjust), or leave this host out"
    )


connections = st.sampled_from(["StandAlone", "WFConnection", "Connected", "Unconnected"])
replications = st.sampled_from(["Established", "SyncSource", "SyncTarget", "PausedSyncS"])
roles = st.sampled_from(["Primary", "Secondary"])
disks = st.sampled_from(["UpToDate", "Inconsistent", "Outdated", "Diskless", "Failed"])


@st.composite
def any_device(draw):
    connection = draw(connections)
    connected = connection == "Connected"
    return Device(
        connection=connection,
        replication=draw(replications) if connected else None,
        role=draw(roles),
        peer_role=draw(roles) if connected else "Unknown",
        disk=draw(disks),
        peer_disk=draw(disks) if connected else "DUnknown",
        out_of_sync=draw(st.integers(0, 2**40)),
        io_suspended=draw(st.booleans()),
        resync_paused=draw(st.booleans()),
    )


def as_84_prints(minor, device):
    state = device.replication if device.connected else device.connection
    state = "Connected" if state == "Established" else state
    flags = f"{'s' if device.io_suspended else 'r'}-{'p' if device.resync_paused else '-'}---"
    return (
        f"{minor:2d}: cs:{state} ro:{device.role}/{device.peer_role} "
        f"ds:{device.disk}/{device.peer_disk} {'C' if device.connected else ' '} {flags}\n"
        f"    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:{device.out_of_sync}"
    )


@given(st.dictionaries(st.integers(0, 2**20 - 1), any_device(), max_size=4))
def test_any_devices_come_back_as_84_printed_them(devices):
    body = "\n".join(as_84_prints(minor, device) for minor, device in devices.items())
    assert parse_proc(f"version: 8.4.11 (api)\n{body}".splitlines()) == devices


# --- the module -----------------------------------------------------------------------------------


def test_module_not_loaded_unreadable_and_nine():
    assert parse_kernel(Section(0, ())) == (None, {})
    assert parse_kernel(Section(0, ("module 9.2.11", *NINE.splitlines())))[0] == "9.2.11"
    with pytest.raises(UnreadableError, match="no answer"):
        parse_kernel(Section(20, ("module 9.2.11", "Could not connect to 'drbd' generic netlink")))


# --- generations and plans -----------------------------------------------------------------------

FRESH = "0000000000000004:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0:0"
USED = "D5CA4B1DD2A0B4CE:0000000000000000:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:0:1:0:0:0"


def test_generations():
    """Metadata that is fresh, some that has seen data, and a disk without any."""
    found = parse_generations(
        ["resource r0", "generation r0", FRESH, "generation r1", USED, "generation r2"]
    )
    zeros = "0" * 16
    assert found == {
        "r0": Generation(JUST_CREATED, zeros, (zeros, zeros), ()),
        "r1": Generation(
            "D5CA4B1DD2A0B4CE",
            zeros,
            ("4C8F1E6E17D3E9AA", "4C8E1E6E17D3E9AA"),
            ("consistent", "was-up-to-date", "connected"),
        ),
        "r2": None,
    }
    assert found["r0"].just_created
    assert not found["r1"].just_created
    assert (found["r0"].consistent, found["r0"].outdated) == (False, True)
    assert (found["r1"].consistent, found["r1"].outdated) == (True, False)


def test_every_flag_has_its_place():
    """In the order in which drbd-utils print them."""
    for place, flag in enumerate(get_args(Flag)):
        bits = ":".join("1" if at == place else "0" for at in range(7))
        found = parse_generations(["generation r0", f"{USED.rsplit(':', 7)[0]}:{bits}"])
        assert found["r0"].flags == (flag,)


def test_flags_that_are_not_printed_are_not_known():
    found = parse_generations(["generation r0", USED.rsplit(":", 7)[0]])
    assert found["r0"].flags is None
    assert found["r0"].consistent is found["r0"].outdated is None


PLAN = (
    "configured",
    "zero size device -- never seen peer yet?",
    "drbdsetup-84 new-resource r0",
    "drbdsetup-84 new-minor r0 0 0",
    "drbdmeta 0 v08 /dev/loop1 internal apply-al",
    "drbdsetup-84 attach 0 /dev/loop1 /dev/loop1 internal",
    "drbdsetup-84 connect r0 ipv4:127.0.0.1:7788 ipv4:10.10.10.2:7788 --protocol=C",
)


def test_a_plan_without_what_was_said_beside_it():
    plan, refusal = parse_adjust(Section(0, PLAN))
    assert plan == PLAN[2:]
    assert refusal is None


def test_no_plan_and_an_empty_plan_are_two_answers():
    assert parse_adjust(Section(127)) == (None, None)
    assert parse_adjust(Section(0)) == (None, None)
    assert parse_adjust(Section(0, ("configured",))) == ((), None)


MISSING_ADDRESS = (
    "configured",
    "/etc/drbd.d/r0.res:1: in resource r0, on weasel:",
    "\tIP 10.10.10.1 not found on this host.",
)


def test_a_refusal_is_one_sentence():
    plan, refusal = parse_adjust(Section(10, MISSING_ADDRESS))
    assert plan is None
    assert refusal == (
        "/etc/drbd.d/r0.res:1: in resource r0, on weasel: IP 10.10.10.1 not found on this host."
    )


# --- the whole answer ----------------------------------------------------------------------------

DISKS = """\
disk r0 /dev/disk/by-id/virtio-data
device /dev/vdb
size 2097152
dev 254:16
0x3ffff03c drbd
0x218  LVM2_member
wipefs 0
content busy
disk r1 /dev/vdc
device /dev/vdc
size 2048
dev 254:32
holder dm-0
partition vdc1 254:33
wipefs: error: /dev/vdc: probing initialization failed: Input/output error
wipefs 1
content unreadable 0: Input/output error
disk r2 /dev/vdd
device /dev/vdd
absent
disk r3 /etc/passwd
device /etc/passwd
other
disk r4 /dev/disk/by-id/virtio-e
device /dev/vde
size 2048
dev 254:64
wipefs 0
content zero
mounts
22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
27 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw
80 27 254:33 / /mnt/a\\040b rw - ext4 /dev/vdc1 rw
Filename				Type		Size		Used		Priority
/dev/vdc1                               partition\t524284\t0\t-2
"""


def answer(*, kernel="", tools="", adjust="", claims="dump 0", disks=DISKS, status=0):
    parts = {
        "kernel": kernel,
        "tools": tools,
        "adjust": adjust,
        "claims": claims,
        "disks": disks,
    }
    return [
        line
        for name, body in parts.items()
        for line in (
            f"[san:begin {name}]",
            *body.splitlines(),
            "",
            f"[san:end {name} {status if name in {'tools', 'adjust', 'claims'} else 0}]",
        )
    ]


def test_a_node_before_anything_is_installed():
    """Tools and module are absent, the disks are known all the same."""
    state = parse(answer(status=127))
    assert not state.installed
    assert (state.tools_version, state.module_version, state.adjust_plan) == (None, None, None)
    assert (state.devices, state.generations, state.resource_files) == ({}, {}, ())
    assert state.disks["r4"].blank


def test_a_node_that_serves():
    state = parse(
        answer(
            kernel=f"module 8.4.11\n{HEALTHY}",
            tools="resource r0\nDRBDADM_API_VERSION=1\nDRBDADM_VERSION=9.22.0",
            adjust="configured",
        )
    )
    assert (state.installed, state.tools_version) == (True, "9.22.0")
    assert (state.module_version, state.resource_files) == ("8.4.11", ("r0",))
    assert state.devices[0].healthy
    assert state.adjust_plan == ()
    assert state.generations == {}


def test_a_node_without_its_replication_address():
    """drbdadm refuses; that is an answer, and it names the address."""
    output = answer(adjust="\n".join(MISSING_ADDRESS))
    output[output.index("[san:end adjust 0]")] = "[san:end adjust 10]"
    state = parse(output)
    assert state.adjust_plan is None
    assert state.missing_address == "10.10.10.1"


def test_backing_disks():
    disks = parse(answer()).disks
    ours = disks["r0"]
    assert (ours.device, ours.size, ours.problem) == ("/dev/vdb", 1073741824, None)
    assert [(each.type, each.offset) for each in ours.signatures] == [
        ("drbd", 0x3FFFF03C),
        ("LVM2_member", 0x218),
    ]
    assert (ours.has_drbd_metadata, ours.foreign, ours.blank) == (True, ("LVM2_member",), False)
    used = disks["r1"]
    assert used.problem == "/dev/vdc: probing initialization failed: Input/output error"
    assert (used.holders, used.partitions) == (("dm-0",), ("vdc1",))
    assert used.mounts == ("/mnt/a b", "[SWAP]")
    assert not used.blank
    assert (disks["r2"].exists, disks["r2"].block) == (False, False)
    assert (disks["r3"].exists, disks["r3"].block) == (True, False)
    assert not disks["r2"].blank


@pytest.mark.parametrize(
    "field", ["signatures", "holders", "partitions", "mounts", "problem", "busy", "content"]
)
def test_one_finding_is_enough_not_to_be_blank(field):
    blank = parse(answer()).disks["r4"]
    assert blank.blank
    assert not attrs.evolve(blank, **{field: ("x",)}).blank


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("content unreadable 1069547520: Input/output error", "Input/output error"),
        ("content sh: 1: perl: not found", "its content gave no answer: sh: 1: perl: not found"),
        ("content partly 73400320", "too slow, not read within 60 s"),
        ("content ", "its content gave no answer: "),
        ("", "its content gave no answer: nothing"),
    ],
)
def test_a_disk_that_was_not_read_is_not_blank(said, problem):
    """wipefs found nothing, and says that it succeeded."""
    found = parse(answer(disks=DISKS.replace("content zero", said))).disks["r4"]
    assert (found.problem, found.blank) == (problem, False)


@pytest.mark.parametrize("disks", [1, 3])
def test_a_slow_disk_ends_by_itself_before_it_is_ended(disks):
    """The whole answer would be unreadable else."""
    script = shell([(f"r{minor}", minor, "/dev/null") for minor in range(disks)])
    limit = re.search(r"begin disks\]'; timeout (\d+) ", script)
    assert int(limit[1]) > 60 * disks
    assert "my $LIMIT = 60;" in CONTENT


@pytest.mark.parametrize(
    ("said", "busy", "content"),
    [("content busy", True, None), ("content content 8192", False, 8192)],
)
def test_a_disk_that_is_used_or_holds_something_is_not_blank(said, busy, content):
    found = parse(answer(disks=DISKS.replace("content zero", said))).disks["r4"]
    assert (found.problem, found.busy, found.content, found.blank) == (None, busy, content, False)


@pytest.mark.parametrize("name", ["sdb", "vdb", "nvme0n1", "dm-3", "md127"])
def test_the_kernels_own_name_is_not_stable(name):
    lines = f"""disk r0 /dev/{name}
device /dev/{name}
size 2048
dev 254:64
wipefs 0
content zero
name /dev/{name}
name /dev/disk/by-diskseq/9
name /dev/disk/by-id/lvm-pv-uuid-2xFZ9h
name /dev/disk/by-uuid/0d5e
name /dev/disk/by-id/wwn-0x5000
name /dev/disk/by-id/ata-SAMSUNG_1
mounts
"""
    found = parse(answer(disks=lines)).disks["r0"]
    assert found.unstable
    assert found.stable_names == ("/dev/disk/by-id/ata-SAMSUNG_1", "/dev/disk/by-id/wwn-0x5000")


@pytest.mark.parametrize(
    ("path", "unstable"),
    [
        ("/dev/disk/by-id/ata-SAMSUNG_1", False),
        ("/dev/disk/by-path/pci-0000:00:05.0", False),
        ("/dev/disk/by-partlabel/data", False),
        ("/dev/mapper/mpatha", False),
        ("/dev/backing/r0", False),
        ("/dev/md/data", False),
        ("/dev/block/8:16", True),
        ("/dev/disk/by-uuid/0d5e", True),
        ("/dev/disk/by-label/data", True),
        ("/dev/disk/by-diskseq/9", True),
        ("/dev/disk/by-id/lvm-pv-uuid-2xFZ9h", True),
    ],
)
def test_names_that_follow_the_content_are_not_stable(path, unstable):
    """DRBD copies the content, so both disks, and the replicated device, may have the name."""
    lines = f"disk r0 {path}\ndevice /dev/vdb\nsize 2048\ndev 1:1\nwipefs 0\ncontent zero\nmounts"
    assert parse(answer(disks=lines)).disks["r0"].unstable == unstable


# --- who claims what -----------------------------------------------------------------------------

CLAIMS = """running other
minor 0
size 2048
disk /dev/disk/by-id/virtio-data
device /dev/vdb
minor 1
configured other
file /etc/drbd.d/other.res
here
minor 0
size 2048
disk /dev/vdb
device /dev/vdb
minor 1
disk /dev/vdc
device /dev/vdc
port 7788
there
minor 9
disk /dev/vdz
device /dev/vdz
port 7799
configured elsewhere
file /etc/drbd.d/elsewhere.res
there
minor 4
port 7788
ignored
file /etc/drbd.d/ignored.res
here
minor 5
dump 0
"""


def test_claims():
    """Each minor of this host, in the kernel and in files; the other hosts' are none of ours."""
    path, file = "/dev/disk/by-id/virtio-data", "/etc/drbd.d/other.res"
    found = parse(answer(claims=CLAIMS)).claims
    assert found == Claims(
        running=(
            Claim("other", None, 0, path, "/dev/vdb", size=1 << 20),
            Claim("other", None, 1),
        ),
        configured=(
            Claim("other", file, 0, "/dev/vdb", "/dev/vdb", 7788, 1 << 20),
            Claim("other", file, 1, "/dev/vdc", "/dev/vdc", 7788),
        ),
    )
    assert found.attached(0).disk == path
    assert found.attached(7) is None


def test_files_that_drbdadm_cannot_read_claim_who_knows_what():
    said = "refusal /etc/drbd.d/b.res:3: conflicting use of device-minor 'device-minor:vm:0' ..."
    found = parse(answer(claims=f"{said}\ndump 10")).claims
    assert found.problem == said.removeprefix("refusal ")
    assert parse(answer(claims="dump 10")).claims.problem == "drbdadm dump all fails"
    assert parse(answer(status=127)).claims == Claims()
    with pytest.raises(UnreadableError, match="resources can't be read"):
        parse(answer(claims=""))


def test_unreadable_is_not_empty():
    with pytest.raises(UnreadableError, match="lacks a part"):
        parse([])
    with pytest.raises(UnreadableError, match="status 124"):
        parse(answer(status=124))
    with pytest.raises(UnreadableError, match="disks don't answer"):
        parse(answer(disks="disk r0 /dev/vdb\ndevice /dev/vdb"))


# --- the script ----------------------------------------------------------------------------------


def test_nothing_is_asked_that_would_load_the_module(tmp_path):
    """Without /sys/module/drbd neither drbdsetup nor `drbdadm get-gi` nor `adjust` is run."""
    calls = tmp_path / "calls"
    for tool in ("drbdadm", "drbdsetup", "drbdmeta", "modprobe"):
        (tmp_path / tool).write_text(f'#!/bin/sh\necho "{tool} $*" >>{calls}\n')
        (tmp_path / tool).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", shell([("r0", 0, "/dev/null")])],
        env={"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    state = parse(done.stdout.splitlines())
    if state.module_version is None:
        assert calls.read_text() == "drbdadm --version\ndrbdadm --dry-run dump all\n"
    assert state.installed
    assert not state.disks["r0"].block


def test_a_secret_never_leaves_the_host(tmp_path):
    """drbdadm shows the shared secret in its plan, however it is written; the script hides it."""
    plan = tmp_path / "plan"
    script = shell([])
    mask = next(line for line in script.splitlines() if "sed -E" in line).split("|", 1)[1]
    mask = mask.replace("'\"'\"'", "'")
    for secret, option in product(["abc", r"pa/ss=w:or\'d\ x", r"a\\b"], ["=", " "]):
        plan.write_text(f"drbdsetup-84 net-options --shared-secret{option}{secret} --protocol=C\n")
        shown = subprocess.run(
            ["sh", "-c", f"{mask} <{plan}"], capture_output=True, text=True, check=True
        ).stdout
        assert shown == (f"drbdsetup-84 net-options --shared-secret{option}(hidden) --protocol=C\n")


DUMP = """\
# /etc/drbd.conf
# resource r0 on HOST: not ignored, not stacked
# defined at /etc/drbd.d/r0.res:2
resource r0 {
    on HOST {
        device           /dev/drbd0 minor 0;
        disk             /dev/null;
        meta-disk        internal;
        address          ipv4 10.10.10.1:7788;
    }
    on otter {
        device           /dev/drbd3 minor 3;
        disk             /dev/zero;
        address          ipv4 10.10.10.2:7789;
    }
    net {
        shared-secret    SECRET;
    }
}
"""
SHOW = """\
resource r0 {
    net {
        shared-secret   \t"SECRET";
    }
    _remote_host {
        address\t\t\tipv4 10.10.10.2:7788;
    }
    _this_host {
        address\t\t\tipv4 10.10.10.1:7788;
        volume 0 {
            device\t\t\tminor 0;
            disk\t\t\t"/dev/./null";
            meta-disk\t\t\tinternal;
            disk {
                on-io-error     \tdetach;
            }
        }
    }
}
"""
TOOL = """\
#!/bin/sh
case "$*" in
*dump*) printf '%s' "$DUMP" | sed "s/HOST/$(uname -n)/" ;;
--version) echo DRBDADM_VERSION=9.22.0 ;;
get-gi*) echo {generation} ;;
*adjust*) echo noise >&2; echo "drbdsetup-84 connect r0 --shared-secret=SECRET --protocol=C" ;;
esac
"""


def on_a_loaded_host(tmp_path, proc, version="8.4.11", **how):
    """Run the script where the module is loaded: its paths moved below `tmp_path`."""
    (tmp_path / "module").mkdir()
    (tmp_path / "module/version").write_text(f"{version}\n")
    (tmp_path / "proc").write_text(proc)
    (tmp_path / "drbd.d").mkdir()
    (tmp_path / "drbd.d/r0.res").touch()
    tools = {
        "drbdadm": TOOL.format(generation=USED),
        "drbdsetup": (
            f"#!/bin/sh\n[ $1 = show ] && {{ printf '%s' \"$SHOW\"; exit; }}\ncat <<'E'\n{NINE}E\n"
        ),
    }
    for name, text in tools.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    script = (
        shell([("r0", 0, "/dev/null")], **how)
        .replace("/sys/module/drbd", str(tmp_path / "module"))
        .replace("/proc/drbd", str(tmp_path / "proc"))
        .replace("/etc/drbd.d", str(tmp_path / "drbd.d"))
    )
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin", "DUMP": DUMP, "SHOW": SHOW},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "SECRET" not in done.stdout
    return parse(done.stdout.splitlines())


def test_the_script_on_a_healthy_node_asks_for_no_generation(tmp_path):
    state = on_a_loaded_host(tmp_path, HEALTHY)
    assert (state.module_version, state.tools_version) == ("8.4.11", "9.22.0")
    assert state.devices == parse_proc(HEALTHY.splitlines())
    assert state.resource_files == ("r0",)
    assert state.generations == {}
    assert state.adjust_plan == ("drbdsetup-84 connect r0 --shared-secret=(hidden) --protocol=C",)


def test_the_script_asks_a_healthy_node_too_where_every_generation_is_wanted(tmp_path):
    state = on_a_loaded_host(tmp_path, HEALTHY, every_generation=True)
    assert state.generations["r0"].current == "D5CA4B1DD2A0B4CE"


def test_the_script_on_a_node_that_parted_asks_for_its_generation(tmp_path):
    state = on_a_loaded_host(tmp_path, ALONE)
    assert state.generations["r0"].current == "D5CA4B1DD2A0B4CE"


def test_the_script_asks_nine_for_json(tmp_path):
    state = on_a_loaded_host(tmp_path, "version: 9.2.11\n", version="9.2.11")
    assert state.module_version == "9.2.11"
    assert state.devices == parse_json(NINE)


def test_the_script_asks_the_kernel_and_drbdadm_whose_what_is(tmp_path):
    claims = on_a_loaded_host(tmp_path, HEALTHY).claims
    assert claims == Claims(
        running=(Claim("r0", None, 0, "/dev/./null", "/dev/null", meta="internal"),),
        configured=(Claim("r0", "/etc/drbd.d/r0.res", 0, "/dev/null", "/dev/null", 7788),),
    )
