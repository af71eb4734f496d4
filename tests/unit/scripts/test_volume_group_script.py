"""The volume-group resource script, with a stand-in for LVM and for sysfs.

No kernel of the tests' host has device mapper; the lab tests it for real.
"""

import time

import pytest

from san.render.template import raw

LVM = r"""#!/bin/sh
echo "$*" >> TREE/calls
case $(cat TREE/mode) in
fails) echo '  Volume group "storage" not found'; exit 5 ;;
hangs) exec sleep 60 ;;
idle) exit 0 ;;
busy) echo '  Logical volume storage/test in use.'; exit 5 ;;
esac
mkdir -p TREE/dev/storage
case $3 in
y) mkdir -p TREE/block/dm-0/dm TREE/block/dm-0/holders
   echo storage-test > TREE/block/dm-0/dm/name
   echo LVM-storagetest > TREE/block/dm-0/dm/uuid
   echo MAJOR:MINOR > TREE/block/dm-0/dev
   [ -e TREE/block/dm-0/slaves ] || mkdir -p TREE/block/dm-0/slaves/drbd0
   ln -sf DEVICE TREE/dev/storage/test ;;
n) rm -rf TREE/block/dm-0 TREE/dev/storage ;;
esac
"""


class Group:
    """The script, its sysfs and its LVM."""

    def __init__(self, machine, tree):
        self.machine = machine
        self.tree = tree

    def call(self, action, name="storage"):
        return self.machine.call(name, action)

    def mode(self, mode):
        (self.tree / "mode").write_text(mode)

    def calls(self):
        path = self.tree / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def group(machine, tmp_path):
    tree = tmp_path / "tree"
    for drbd in ("drbd0", "drbd1"):
        (tree / "block" / drbd).mkdir(parents=True)
    (tree / "dev").mkdir()
    device = (machine.devices / "one").resolve()
    major, minor = machine.run("stat", "-c", "%Hr %Lr", str(device)).stdout.split()
    lvm = tree / "lvm"
    lvm.write_text(
        LVM.replace("TREE", str(tree))
        .replace("MAJOR:MINOR", f"{major}:{minor}")
        .replace("DEVICE", str(device))
    )
    lvm.chmod(0o755)
    script = (
        raw("resource.d/volume-group")
        .replace("/sys/block", str(tree / "block"))
        .replace("'/sbin/lvm'", f"'{lvm}'")
        .replace('"/dev/$group', f'"{tree}/dev/$group')
        .replace("$LIMIT_S    = 20;", "$LIMIT_S    = 1;")
    )
    machine.script.write_text(script)
    one = Group(machine, tree)
    one.mode("works")
    yield one
    machine.run("sh", "-c", "rm -rf /run/san")


def test_life(group):
    assert group.call("status").stdout == "stopped\n"
    assert group.call("start").returncode == 0
    assert group.call("status").stdout == "running\n"
    assert group.call("start").returncode == 0
    assert group.call("stop").returncode == 0
    stopped = group.call("status")
    assert (stopped.stdout, stopped.returncode) == ("stopped\n", 3)
    assert group.call("stop").returncode == 0


def test_lvm_is_called_once_and_sees_drbd_alone(group):
    group.call("status")
    group.call("start")
    group.call("status")
    group.call("stop")
    settings = '--devices /dev/drbd0,/dev/drbd1 --config activation/volume_list=["storage"] storage'
    assert group.calls() == [
        f"vgchange --activate y {settings}",
        f"vgchange --activate n {settings}",
    ]


def test_what_somebody_else_activated_is_not_running(group):
    """Heartbeat would skip the start, and a volume that is not active yet would be missing."""
    group.call("start")
    group.machine.run("rm", "/run/san/volume-group.storage")
    assert group.call("status").stdout == "stopped\n"
    assert group.call("stop").returncode == 0
    assert group.calls()[-1].startswith("vgchange --activate n")


@pytest.mark.parametrize(
    ("name", "uuid"),
    [
        ("storage--old-test", "LVM-ab"),
        ("storage-test", "CRYPT-LUKS2-0123-storage-test"),
        ("storage-backup", "CRYPT-PLAIN-storage-backup"),
        ("storage-test1", "part1-LVM-storagetest"),
        ("storage-raw", ""),
    ],
)
def test_what_is_not_a_volume_of_the_group_is_not_its_own(group, name, uuid):
    """Device mapper's name of storage-old/test is storage--old-test; others may choose any."""
    dm = group.tree / "block/dm-1/dm"
    dm.mkdir(parents=True)
    (dm / "name").write_text(f"{name}\n")
    (dm / "uuid").write_text(f"{uuid}\n")
    assert group.call("stop").returncode == 0
    assert group.calls() == []
    group.call("start")
    assert group.call("stop").returncode == 0
    assert group.call("status").stdout == "stopped\n"


def test_a_group_that_is_not_there_fails(group):
    group.mode("fails")
    failed = group.call("start")
    assert failed.returncode == 1
    assert 'Volume group "storage" not found' in failed.stderr
    assert group.call("status").stdout == "stopped\n"


def test_a_group_without_a_volume_fails(group):
    group.mode("idle")
    assert "LVM activated nothing" in group.call("start").stderr


def lies_on(group, **below):
    """LVM finds the volume active; what each of device mapper's devices lies on."""
    for kernel, others in below.items():
        for other in others:
            (group.tree / "block" / kernel.replace("_", "-") / "slaves" / other).mkdir(parents=True)


@pytest.mark.parametrize(
    ("below", "disk"),
    [
        ({"dm_0": ["vdb"]}, "vdb"),
        ({"dm_0": ["drbd0", "sdc1"]}, "sdc1"),
        ({"dm_0": ["dm-1", "dm-2"], "dm_1": ["drbd0"], "dm_2": ["dm-3"], "dm_3": ["vdb"]}, "vdb"),
        ({"dm_0": ["md127"]}, "md127"),
    ],
)
def test_a_volume_that_lies_past_drbd_fails(group, below, disk):
    """A disk that carries the group's label, once below DRBD, has activated it before."""
    lies_on(group, **below)
    failed = group.call("start")
    assert failed.returncode == 1
    assert f"storage-test lies on /dev/{disk}: what is written there bypasses" in failed.stderr
    assert group.call("status").stdout == "stopped\n"
    assert len(group.calls()) == 1


def test_a_pool_on_several_drbd_devices_starts(group):
    lies_on(group, dm_0=["dm-1", "dm-2"], dm_1=["drbd0"], dm_2=["drbd0", "drbd1"])
    assert group.call("start").returncode == 0


def test_without_drbd(group):
    group.machine.run("sh", "-c", f"rmdir {group.tree}/block/drbd*")
    assert "there is no DRBD device" in group.call("start").stderr


def test_a_volume_in_use_is_named_with_its_holder(group):
    """A failed stop stays `running`: Heartbeat reboots the node."""
    group.call("start")
    group.mode("busy")
    with (group.machine.devices / "one").open("rb"):
        failed = group.call("stop")
    assert failed.returncode == 1
    assert "storage-test is held by " in failed.stderr
    assert "python" in failed.stderr or "pytest" in failed.stderr
    assert "in use" in failed.stderr
    assert group.call("status").stdout == "running\n"
    group.mode("works")
    assert group.call("stop").returncode == 0


def test_a_hidden_holder_is_not_called_nobody(group):
    group.call("start")
    group.mode("busy")
    assert "perhaps the kernel" in group.call("stop").stderr


@pytest.mark.parametrize("action", ["start", "stop"])
def test_lvm_that_hangs_is_left(group, action):
    group.call("start")
    group.mode("hangs")
    began = time.monotonic()
    failed = group.call(action)
    assert failed.returncode == 1
    assert "LVM does not end within 1 s" in failed.stderr
    assert time.monotonic() - began < 4
    assert group.call("status").stdout == "running\n"


@pytest.mark.parametrize("name", ["", "a b", "../storage", "-y", "a/b"])
def test_wrong_names(group, name):
    assert group.call("start", name).returncode == 2
    assert group.calls() == []


def test_wrong_calls(group):
    assert group.call("reload").returncode == 2
    assert group.machine.call("storage").returncode == 2
