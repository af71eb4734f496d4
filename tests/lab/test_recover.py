"""A split brain, made and ended: what was given up is in the image, what was kept is served."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.cluster import DISK, ROOT, connection, deploy, serving

pytestmark = [pytest.mark.lab, pytest.mark.drill, pytest.mark.timeout(1800)]

KEEP = "/var/tmp/keep"  # noqa: S108 (on the victim)
IMAGE = f"{KEEP}/r0-otter.img"
LUN = "iqn.2009-02.com.example:test LUN 1 (storage/test)"
LVM = 1 << 20
"""Bytes of the disk before the volume, which is the group's first."""
AT = 64 << 20
"""Bytes from the volume's beginning: where both sides write, each its own."""


def recover(*arguments):
    """Run `san recover split-brain`."""
    program = str(Path(sys.executable).with_name("san"))
    return subprocess.run(
        [program, "recover", "split-brain", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def write(lab, host, device, words):
    """Write a block of `words` and wait until it is on the disk."""
    lab.ssh(
        host,
        f"yes '{words}' | head -c 1M | dd of={device} bs=64k seek={AT >> 16} iflag=fullblock"
        " oflag=direct conv=notrunc status=none",
        timeout=120,
    )


def read(lab, host, device, at=AT):
    """The first line that stands there."""
    command = f"dd if={device} bs=64k skip={at >> 16} count=1 iflag=direct status=none | head -n 1"
    return lab.ssh(host, command, timeout=120).stdout.strip()


def kernel(lab, host):
    return lab.ssh(host, "journalctl -kq --no-pager | grep -i drbd | tail -n 60").stdout


@pytest.fixture
def parted(deployed_lab):
    """Both sides wrote while the replication link was cut; each has met the other since."""
    lab = deployed_lab
    disk = lab.ssh("badger", "ls /dev/mapper/3*").stdout.strip()
    write(lab, "badger", disk, "before the parting")
    lab.ssh("otter", "systemctl stop heartbeat", timeout=120)
    lab.link_cut("weasel", "replication")
    connection(lab, "otter", "WFConnection")
    # Forced: fencing wouldn't let it, and no rule of DRBD's is in the way of a person.
    lab.ssh("otter", "drbdadm primary --force r0 && vgchange -qay storage", timeout=120)
    write(lab, "otter", "/dev/storage/test", "otter, to be given up")
    lab.ssh("otter", "vgchange -qan storage", timeout=120)
    write(lab, "badger", disk, "weasel, to be kept")
    lab.link_up("weasel", "replication")
    for node in ("weasel", "otter"):
        connection(lab, node, "StandAlone")
    # The log is no witness: a kernel that has rotated it, or a node that booted since, has none.
    for node in ("weasel", "otter"):
        lab.ssh(node, "dmesg --clear")
    return lab, disk


def test_the_named_side_is_saved_and_given_up_and_the_other_is_served(parted):
    lab, disk = parted

    run = deploy()
    assert run.returncode == 1
    assert "r0 has a split brain" in run.log, run.log

    shown = recover()
    assert shown.returncode == 0, shown.stderr
    assert "split brain: each side has changes" in shown.stdout
    print(shown.stdout)
    found = recover("--json")
    (r0,) = json.loads(found.stdout)["resources"]
    weasel, otter = r0["sides"]
    assert r0["relation"] == "split"
    assert weasel["role"] == "Primary"
    assert "iqn.2009-02.com.example:badger" in weasel["clients"]
    assert otter["clients"] == []
    assert otter["heartbeat"] is False
    assert weasel["changed_kib"] >= 1024
    assert otter["changed_kib"] >= 1024
    # otter's is whole on its disk; some of weasel's, which serves, may be in memory alone.
    assert otter["changed"]["luns"][LUN] >= 1024
    assert otter["changed"]["uncounted"] == 0
    where = weasel["changed"]
    assert where["unknown"] is None
    assert where["luns"].get(LUN, 0) + where["uncounted"] >= 1024
    assert LUN in {*where["luns"], *where["active"]}
    assert otter["parted"] <= otter["changed_from"], kernel(lab, "otter")
    assert otter["primary"], kernel(lab, "otter")

    wrong = recover("--victim", "badger", "--image", KEEP)
    assert wrong.returncode == 2
    serves = recover("--victim", "weasel", "--image", KEEP)
    assert serves.returncode == 1
    assert "clients are logged in at weasel" in serves.stderr + serves.stdout
    assert read(lab, "badger", disk) == "weasel, to be kept"

    lab.ssh("otter", f"mkdir -p {KEEP}")
    ended = recover("--victim", "otter", "--image", KEEP)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "% of" in ended.stdout + ended.stderr
    print(ended.stdout, ended.stderr)

    for node in ("weasel", "otter"):
        assert "cs:Connected" in lab.ssh(node, "cat /proc/drbd").stdout
    assert read(lab, "badger", disk) == "weasel, to be kept"
    # Zeros are one line to grep, as long as the disk.
    given_up = f"tr -d '\\0' <{IMAGE} | grep -ac 'otter, to be given up'"
    assert lab.ssh("otter", given_up, timeout=300).stdout != "0\n"
    assert lab.ssh("otter", f"cd {KEEP} && sha256sum -c r0-otter.img.sha256", timeout=300)
    assert serving(lab) == "weasel"

    again = recover("--victim", "otter", "--image", KEEP)
    assert again.returncode == 0, again.stdout + again.stderr
    healed = deploy()
    assert healed.returncode == 0, healed.log
    assert serving(lab) == "weasel"

    # What was given up is gone from both sides: otter serves what weasel had.
    lab.ssh("weasel", "/usr/share/heartbeat/hb_standby all", timeout=60)
    assert read(lab, "badger", disk) == "weasel, to be kept"


def test_a_block_that_changes_under_drbd_is_found_and_mended_as_the_runbook_says(deployed_lab):
    lab = deployed_lab
    disk = lab.ssh("badger", "ls /dev/mapper/3*").stdout.strip()
    write(lab, "badger", disk, "as it was written")
    damage = f"dd if=/dev/zero of={DISK} bs=4k seek={(LVM + AT) >> 12} count=2 oflag=direct"
    lab.ssh("otter", f"{damage} conv=notrunc status=none")

    found = recover("--victim", "otter")
    assert found.returncode == 1
    assert "8 KiB of r0 differ between the nodes" in found.stderr + found.stdout

    lab.ssh("otter", "drbdadm disconnect r0 && drbdadm connect r0", timeout=120)
    connection(lab, "otter", "Connected")
    again = recover("--victim", "otter")
    assert again.returncode == 0, again.stdout + again.stderr
    assert serving(lab) == "weasel"
    lab.ssh("weasel", "/usr/share/heartbeat/hb_standby all", timeout=60)
    assert read(lab, "badger", disk) == "as it was written"
