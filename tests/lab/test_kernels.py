"""Kernels that arrive on real machines: minutes each, so `make test-kernels` runs them.

The tests of one node are one story, in order: each goes on where the one before has ended.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from san.lab import lifecycle
from san.lab.errors import LabError
from tests.lab.cluster import ROOT, connection, deploy, serving
from tests.lab.writeboost import BROKEN, INVENTORY, LOADS, MENDED, log, with_module

pytestmark = [pytest.mark.lab, pytest.mark.kernels, pytest.mark.timeout(3600)]

APT = (
    "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
    " -o Dpkg::Options::=--force-confold"
)
SLOW = 900
"""Seconds that a kernel's installation may take under emulation."""


@pytest.fixture(scope="module")
def newer(lab):
    """The newer kernel that the suite offers; the machines run its older one."""
    lab.restore(lifecycle.BARE)
    listed = lab.ssh("otter", "apt-cache depends --important linux-image-cloud-amd64").stdout
    (found,) = re.findall(r"Depends: linux-image-(\S+)", listed)
    assert found != lab.ssh("otter", "uname -r").stdout.strip(), "the suite offers one kernel only"
    return found


def said(lab, node, command, **options):
    done = lab.ssh(node, f"{command} 2>&1", check=False, timeout=SLOW, **options)
    return done.returncode, done.stdout


def clean(lab, node):
    """Nothing is left half-configured."""
    assert lab.ssh(node, "dpkg --audit").stdout == ""


BOOT = "cat /proc/sys/kernel/random/boot_id"


def boots(lab, node):
    """Reboot, and return when the boot has ended."""
    before = lab.ssh(node, BOOT).stdout
    lab.ssh(node, "systemctl reboot", check=False)
    waiting = Retrying(
        stop=stop_after_delay(300),
        wait=wait_fixed(1),
        retry=retry_if_exception_type(LabError)
        | retry_if_result(lambda boot: boot in {"", before}),
    )
    waiting(lambda: lab.ssh(node, BOOT, check=False, timeout=60).stdout)
    lab.ssh(node, "systemctl is-system-running --wait", check=False, timeout=SLOW)


def test_an_image_without_its_headers_is_installed_and_tells_not_to_reboot(deployed_lab, newer):
    lab = deployed_lab
    run = with_module(lab)
    assert run.returncode == 0, run.log

    status, output = said(lab, "otter", f"{APT} linux-image-{newer}")

    assert status == 0, output
    assert f"apt-get install linux-headers-{newer}" in output
    assert f"do not reboot into {newer}" in output
    clean(lab, "otter")
    assert "DO NOT REBOOT" in said(lab, "otter", "run-parts /etc/update-motd.d")[1]
    assert said(lab, "otter", "san-kmod check --next")[0] == 1
    assert said(lab, "otter", "san-kmod gate")[0] == 0


def test_a_source_that_does_not_compile_leaves_dpkg_clean_and_the_old_kernel_as_it_was(lab, newer):
    lab.ssh("otter", BROKEN)

    status, output = said(lab, "otter", f"{APT} linux-headers-{newer}")

    assert status == 0, output
    assert f"dm-writeboost 2.2.17 is NOT there for {newer}: it does not compile (log: " in output
    clean(lab, "otter")
    assert said(lab, "otter", "san-kmod check --next")[0] == 1
    assert said(lab, "otter", "san-kmod gate")[0] == 0
    assert "#error not this kernel" in log(lab, "otter")


def test_the_gate_keeps_a_node_without_its_module_out_of_the_cluster(lab, newer):
    boots(lab, "otter")

    assert lab.ssh("otter", "uname -r").stdout.strip() == newer
    status = said(lab, "otter", "systemctl status heartbeat; systemctl is-active heartbeat")[1]
    assert "inactive" in status.splitlines()[-1]
    assert f"this node must not serve: its kernel {newer} lacks dm-writeboost" in status
    connection(lab, "weasel", "Connected")  # its data goes on being replicated
    assert serving(lab) == "weasel"


def test_a_module_that_is_built_opens_the_gate(lab):
    lab.ssh("otter", MENDED)

    run = deploy(inventory=INVENTORY)

    assert run.returncode == 0, run.log
    lab.ssh("otter", LOADS)
    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    assert lab.ssh("otter", "san-kmod check").returncode == 0
    assert serving(lab) == "weasel"


def test_a_kernel_that_is_removed_takes_its_builds_with_it(lab):
    old = lab.ssh("otter", "uname -r; ls /lib/modules").stdout.split()
    running, *there = old
    (gone,) = [release for release in there if release != running]

    status, output = said(
        lab, "otter", f"DEBIAN_FRONTEND=noninteractive apt-get purge --yes 'linux-*{gone}'"
    )

    assert status == 0, output
    assert lab.ssh("otter", f"find / -xdev -path '*dm-writeboost*{gone}*'").stdout == ""
    assert lab.ssh("otter", f"find /lib/modules/{gone} -name '*.ko' 2>/dev/null || :").stdout == ""
    clean(lab, "otter")


def test_both_nodes_get_a_new_kernel_under_a_writing_client(deployed_lab, newer):
    run = with_module(deployed_lab)
    assert run.returncode == 0, run.log

    program = str(Path(sys.executable).with_name("san"))
    done = subprocess.run(
        [program, "drill", "upgrade-kernel", "--json", "--to", newer, INVENTORY],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lost"] == 0
    assert set(found["kernels"]["after"].values()) == {newer}
    assert len(found["gap_seconds"]) == 2
    assert serving(deployed_lab) == "weasel"
    for node in ("weasel", "otter"):
        deployed_lab.ssh(node, LOADS)
