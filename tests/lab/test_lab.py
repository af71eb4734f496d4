"""The lab itself: what other tests rely on."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tenacity
from attrs import evolve

from san.lab import lifecycle, process, remote, snapshots
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout
from san.lab.machines import MACHINES

pytestmark = pytest.mark.lab

ADDRESSES = {
    "weasel": {"eth1": "10.9.0.1", "eth2": "10.9.2.1", "eth3": "10.9.3.1"},
    "otter": {"eth1": "10.9.0.2", "eth2": "10.9.2.2", "eth3": "10.9.3.2"},
    "badger": {"eth2": "10.9.2.3", "eth3": "10.9.3.3"},
}

# one echo request and its answer, without a package that bare machines don't have
PING = """
import socket, struct, sys, time
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(2)
s.connect((sys.argv[1], 0))
best = None
for number in range(6):
    head = struct.pack("!BBHHH", 8, 0, 0, 4711, number)
    request = struct.pack("!BBHHH", 8, 0, checksum(head), 4711, number)
    start = time.monotonic()
    try:
        s.send(request)
        while s.recv(100)[20:28] [4:] != request[4:]:
            pass
    except OSError:
        continue
    took = (time.monotonic() - start) * 1000
    best = took if best is None else min(best, took)
print("lost" if best is None else best)
"""


def ping(lab: Lab, host: str, address: str) -> float | None:
    """Best round trip in ms, None when nothing comes back."""
    said = lab.ssh(host, f"python3 - {address}", input=PING).stdout.strip()
    return None if said == "lost" else float(said)


@pytest.fixture(scope="module")
def cabled(lab: Lab) -> Lab:
    """The lab with addresses on every cable, as snapshot `cabled`."""
    lab.restore(lifecycle.BARE)
    for host, interfaces in ADDRESSES.items():
        lines = [f"ip link set {i} up; ip addr add {a}/24 dev {i}" for i, a in interfaces.items()]
        lab.ssh(host, "; ".join(lines))
    lab.snapshot("cabled")
    return lab


@pytest.fixture
def wired(cabled: Lab) -> Lab:
    """The cabled lab, with every fault of an earlier test gone."""
    cabled.restore("cabled")
    return cabled


def changed(lab: Lab, host: str, command: str, before: str) -> str:
    """Wait until `host` has booted, and `command` says something else there than `before`."""
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(remote.BOOT_LIMIT_S),
        wait=tenacity.wait_fixed(1),
        retry=tenacity.retry_if_exception_type(LabError)
        | tenacity.retry_if_result(lambda said: said == before),
    )
    return retry(lambda: lab.ssh(host, command, timeout=20).stdout)


def interfaces(lab: Lab, host: str) -> list[str]:
    return sorted(lab.ssh(host, "ls /sys/class/net").stdout.split())


def test_machines_are_bare_and_theirs_alone(bare: Lab) -> None:
    """Names, disks and interfaces are the contract's; only management is configured."""
    assert bare.hosts == ("weasel", "otter", "badger")
    for host in bare.hosts:
        assert bare.ssh(host, "uname -n").stdout == f"{host}\n"
        configured = bare.ssh(host, "ip -4 -o addr | awk '{print $2}'").stdout.split()
        assert configured == ["lo", "eth0"]
        missing = bare.ssh(host, "command -v drbdadm lvs tgtd iscsiadm heartbeat", check=False)
        assert missing.stdout == ""
    assert interfaces(bare, "weasel") == ["eth0", "eth1", "eth2", "eth3", "lo"]
    assert interfaces(bare, "badger") == ["eth0", "eth2", "eth3", "lo"]
    size = "blockdev --getsize64 /dev/disk/by-id/virtio-data /dev/disk/by-id/virtio-spare"
    assert bare.ssh("otter", size).stdout.split() == [str(1 << 30), str(256 << 20)]
    assert bare.ssh("badger", "ls /dev/disk/by-id").stdout.split() == ["virtio-system"]


def test_kernel_has_what_the_cluster_needs(lab: Lab) -> None:
    """DRBD and the target's modules load on a node, multipath and iSCSI on the client."""
    lab.ssh("weasel", "modprobe -a drbd dm_mod target_core_mod && grep -q ^version: /proc/drbd")
    lab.ssh("badger", "modprobe -a dm_multipath iscsi_tcp")


def test_package_installs_without_network(bare: Lab) -> None:
    """The package cache serves an install, with the network's way out closed."""
    install = (
        "ip route del default; "
        "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends iputils-arping"
    )
    bare.ssh("weasel", install, timeout=300)
    assert bare.ssh("weasel", "command -v arping").stdout.endswith("arping\n")


def test_clocks_agree_after_a_restore(lab: Lab) -> None:
    """Logs of the machines can be laid side by side: within 20 ms, even on a busy host."""
    for host, clock in lab.restore(lifecycle.BARE).items():
        assert abs(clock.offset_ms) + clock.uncertainty_ms < 20, host


def test_restore_brings_memory_and_disks_back(lab: Lab) -> None:
    """A file in memory, a file on disk and a process are as they were; later ones are gone."""
    for host in lab.hosts:
        lab.ssh(host, "echo early >/run/memory; echo early >/root/disk; sync")
    lab.ssh("weasel", "systemd-run --unit=witness sleep infinity")
    lab.snapshot("moment")
    for host in lab.hosts:
        lab.ssh(host, "echo late >/run/memory; echo late >/root/disk; sync")
    lab.ssh("weasel", "systemctl stop witness")
    lab.restore("moment")
    for host in lab.hosts:
        assert lab.ssh(host, "cat /run/memory /root/disk").stdout == "early\nearly\n"
    assert lab.ssh("weasel", "systemctl is-active witness").stdout == "active\n"
    assert "moment" in lab.snapshots()


def test_nothing_sent_before_a_restore_arrives_after_it(bare: Lab) -> None:
    """A byte from a moment that hasn't come yet would be a peer's later heartbeat."""
    for node in ("weasel", "otter"):
        bare.ssh(node, "stty -F /dev/ttyS1 raw -echo 9600")
    hear = "systemd-run -q --unit=hear sh -c 'head -c1 </dev/ttyS1 >/run/heard'"
    bare.ssh("otter", f"{hear}; until pgrep -x head; do :; done", timeout=60)
    bare.snapshot("silence")
    bare.ssh("weasel", "systemd-run -q sh -c 'yes late >/dev/ttyS1'")
    bare.ssh("otter", "until [ -s /run/heard ]; do :; done", timeout=60)

    bare.restore("silence")

    bare.ssh("weasel", "echo on-time >/dev/ttyS1")
    heard = "until [ -s /run/heard ]; do :; done; cat /run/heard"
    assert bare.ssh("otter", heard, timeout=60).stdout == "o"


def test_snapshot_of_other_hardware_is_a_refusal(lab: Lab) -> None:
    """A machine's memory on other hardware than it was saved on is a kernel that panics."""
    changed = evolve(lab.state, hardware="of-yesterday")
    with pytest.raises(LabError, match="of other hardware"):
        snapshots.load(lab.layout, changed, lifecycle.BARE)
    assert all(lab.powered(host) for host in lab.hosts)


def carries(lab: Lab, text: str) -> None:
    """Send a word from weasel to otter over the serial cable."""
    raw = "stty -F /dev/ttyS1 raw -echo 9600"
    read = f"{raw}; systemd-run -q --collect sh -c 'head -n1 </dev/ttyS1 >/run/{text}'"
    lab.ssh("otter", read)
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(60),  # the cable is plugged in again within seconds
        wait=tenacity.wait_fixed(0.5),
        retry=tenacity.retry_if_exception_type(AssertionError),
        reraise=True,
    ):
        with attempt:
            lab.ssh("weasel", f"{raw}; echo {text} >/dev/ttyS1")
            assert text in lab.ssh("otter", f"cat /run/{text}").stdout


def test_power_cut_and_reset(bare: Lab) -> None:
    """Memory is gone, what was synced is there, the cable carries again, others never noticed.

    One test, so that both machines boot at the same time: a boot under emulation takes a while.
    """
    carries(bare, "first")
    bare.ssh("weasel", "echo volatile >/run/memory; echo safe >/root/disk; sync")
    boot_id = "cat /proc/sys/kernel/random/boot_id"
    before = {host: bare.ssh(host, boot_id).stdout for host in ("otter", "badger")}
    bare.power_cut("weasel")
    assert not bare.powered("weasel")
    with pytest.raises(LabError, match="weasel"):
        bare.ssh("weasel", "true", timeout=10)

    bare.power_on("weasel")
    bare.reset("badger")

    bare.wait_ssh(["weasel"])
    assert bare.ssh("weasel", "cat /root/disk; ls /run/memory", check=False).stdout == "safe\n"
    assert bare.ssh("otter", boot_id).stdout == before["otter"]
    carries(bare, "second")
    assert changed(bare, "badger", boot_id, before["badger"])


def test_serial_cable_cut_and_back(bare: Lab) -> None:
    """What is sent meanwhile is gone; a restore plugs the cable in again."""
    carries(bare, "first")
    bare.serial_cut()
    bare.serial_cut()
    bare.ssh("weasel", "echo lost >/dev/ttyS1")
    bare.serial_up()
    carries(bare, "second")
    assert "lost" not in bare.ssh("otter", "cat /run/second").stdout
    bare.serial_cut()
    bare.restore(lifecycle.BARE)
    carries(bare, "third")


def test_a_frozen_machine_counts_no_time(bare: Lab) -> None:
    """Its monotonic clock stands still, so that its boot seems to have begun later."""
    (before,) = bare.read_clocks(["weasel"]).values()
    bare.freeze("weasel")
    began = time.monotonic()
    with pytest.raises(LabError, match="has not ended after"):
        bare.ssh("weasel", "true", timeout=5)
    bare.thaw("weasel")
    took = time.monotonic() - began
    (after,) = bare.read_clocks(["weasel"]).values()
    assert after.boot == before.boot
    assert after.booted - before.booted == pytest.approx(took, abs=1)


def test_snapshot_of_a_lab_with_a_machine_off(lab: Lab) -> None:
    """A machine that was off is off again after a restore, and on in the older moment."""
    lab.power_cut("badger")
    lab.snapshot("badger-off")
    lab.restore(lifecycle.BARE)
    assert lab.powered("badger")
    lab.restore("badger-off")
    assert not lab.powered("badger")
    lab.restore(lifecycle.BARE)
    assert lab.ssh("badger", "uname -n").stdout == "badger\n"


def test_link_cut_stops_one_segment_only(wired: Lab) -> None:
    """A cable out of path A: nothing passes there, everything passes elsewhere."""
    assert ping(wired, "badger", "10.9.2.1") is not None
    wired.link_cut("weasel", "path-a")
    assert wired.ssh("weasel", "cat /sys/class/net/eth2/carrier").stdout == "0\n"
    assert ping(wired, "badger", "10.9.2.1") is None
    assert ping(wired, "badger", "10.9.2.2") is not None
    assert ping(wired, "badger", "10.9.3.1") is not None
    assert ping(wired, "otter", "10.9.0.1") is not None
    wired.link_up("weasel", "path-a")
    assert ping(wired, "badger", "10.9.2.1") is not None


def test_delay_shows_in_a_round_trip(wired: Lab) -> None:
    """40 ms each way make 80 ms, on that segment alone."""
    wired.delay("path-a", 40)
    slow, fast = ping(wired, "badger", "10.9.2.1"), ping(wired, "badger", "10.9.3.1")
    assert slow is not None
    assert fast is not None
    assert 80 <= slow < 160
    assert fast < 40
    wired.delay("path-a", 0)
    again = ping(wired, "badger", "10.9.2.1")
    assert again is not None
    assert again < 40


def test_bandwidth_limits_a_transfer(wired: Lab) -> None:
    """2 MB at 4 Mbit/s take about 4 s, and take less without the limit."""
    # systemd listens, so that the port is there before the sender comes
    sink = "systemd-run -q --socket-property=ListenStream=4711 --unit=sink"
    receive = (
        "import socket; c = socket.socket(fileno=3).accept()[0]; n = 0\n"
        "while d := c.recv(65536): n += len(d)\nc.send(b'%d' % n)"
    )
    send = (
        "import socket, time; c = socket.create_connection(('10.9.0.1', 4711)); t = time.time(); "
        "c.sendall(bytes(2_000_000)); c.shutdown(1); n = int(c.recv(20)); print(n, time.time() - t)"
    )
    wired.ssh("weasel", f'{sink} python3 -c "{receive}"')

    def transfer() -> float:
        size, seconds = wired.ssh("otter", f'python3 -c "{send}"').stdout.split()
        assert size == "2000000"
        return float(seconds)

    free = transfer()
    wired.bandwidth("replication", 4)
    limited = transfer()
    assert limited > 3
    assert free < limited


def test_disk_error_is_an_io_error_until_healed(bare: Lab) -> None:
    """Reads and writes fail on that disk; healed, it has its contents."""
    data = "/dev/disk/by-id/virtio-data"
    write = f"dd of={data} bs=4096 count=1 oflag=direct status=none"
    read = f"dd if={data} bs=4096 count=1 iflag=direct status=none"
    bare.ssh("weasel", f"yes kept | head -c 4096 | {write}")
    bare.disk_error("weasel", "data")
    assert "Input/output error" in bare.ssh("weasel", read, check=False).stderr
    refused = bare.ssh("weasel", f"head -c 4096 /dev/zero | {write}", check=False)
    assert "Input/output error" in refused.stderr
    bare.ssh("otter", read)
    bare.snapshot("failing")
    bare.disk_heal("weasel", "data")
    assert bare.ssh("weasel", f"{read} | head -n1").stdout == "kept\n"
    bare.restore("failing")
    assert "Input/output error" in bare.ssh("weasel", read, check=False).stderr


def test_pyinfra_reaches_every_machine(lab: Lab, tmp_path: Path) -> None:
    """The ssh_config serves pyinfra as it serves OpenSSH."""
    inventory = tmp_path / "inventory.py"
    data = {"ssh_config_file": str(lab.ssh_config), "ssh_strict_host_key_checking": "yes"}
    inventory.write_text(f"hosts = [(name, {data}) for name in {lab.hosts}]\n")
    pyinfra = Path(sys.executable).with_name("pyinfra")
    done = subprocess.run(
        [pyinfra, "--yes", inventory, "exec", "--", "uname", "-n"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    said = done.stdout + done.stderr
    assert all(re.search(rf"\[{host}\]\s+{host}", said) for host in lab.hosts), said


def test_up_again_changes_nothing(lab: Lab) -> None:
    """A second `up` says that the lab is up, in well under the time of a start."""
    before = lab.state
    done = san(lab, "up", "--suite", lab.suite)
    assert "is up already" in done.stderr
    assert lab.state == before


def test_unknown_snapshot_is_one_sentence(lab: Lab) -> None:
    """An error of the lab is a line and exit status 1, not a traceback."""
    done = san(lab, "restore", "nowhere", check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: there is no snapshot 'nowhere' (there are: bare")


def san(lab: Lab, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `san lab` as a user does."""
    command = [Path(sys.executable).with_name("san"), "lab", "--dir", lab.layout.directory, *words]
    return subprocess.run(command, check=check, capture_output=True, text=True)


@pytest.fixture
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """A second lab's directory, which leaves nothing behind."""
    layout = Layout(tmp_path_factory.mktemp("lab"))
    yield layout
    lifecycle.down(layout)


def processes_of(layout: Layout) -> list[str]:
    """Command lines on this machine that name the lab's directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{layout.directory}/" in line:
            found.append(line)
    return found


def begin_up(lab: Lab, second: Layout) -> subprocess.Popen[bytes]:
    """Start `san lab up` in another directory; return when its last machine has been started."""
    san = [Path(sys.executable).with_name("san"), "lab", "--dir", second.directory]
    command = [*san, "up", "--suite", lab.suite, "--accel", lab.accel]
    # a test run in the background ignores Ctrl-C, and its children would inherit that
    up = subprocess.Popen(["env", "--default-signal=INT", *command])
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(60),  # the image is cached: machines start within 3 s
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_exception_type(AssertionError),
        reraise=True,
    ):
        with attempt:
            assert process.running(second.processes / "badger.json") is not None
    return up


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_up_leaves_nothing(lab: Lab, second: Layout, number: int) -> None:
    """Ctrl-C in the middle of a start: no process, no state, and `down` has no work."""
    with begin_up(lab, second) as up:
        up.send_signal(number)
        assert up.wait(timeout=30) != 0
    assert processes_of(second) == []
    assert not second.state.exists()
    assert not lifecycle.down(second)


def test_down_ends_what_a_killed_up_has_left(lab: Lab, second: Layout) -> None:
    """After SIGKILL of `up` its machines still run: `down` ends them all, and nothing else."""
    with begin_up(lab, second) as up:
        up.kill()
    assert processes_of(second) != []
    assert lifecycle.down(second)
    assert processes_of(second) == []
    assert all(lab.powered(host) for host in MACHINES)
