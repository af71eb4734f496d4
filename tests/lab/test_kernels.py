"""Kernels that arrive on real machines: minutes each, so `make test-kernels` runs them.

The tests of one node are one story, in order: each goes on where the one before has ended.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from san.lab import lifecycle
from san.lab.sources import BACKPORTS
from tests.lab.cluster import NODES, ROOT, connection, deploy, serving
from tests.lab.writeboost import INVENTORY, LOADS, broken, log, mended, module, with_module

pytestmark = [pytest.mark.lab, pytest.mark.kernels, pytest.mark.timeout(3600)]

APT = (
    "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
    " -o Dpkg::Options::=--force-confold"
)
SLOW = 900
"""Seconds that a kernel's installation may take under emulation."""


@pytest.fixture(scope="module")
def older(lab):
    """The kernel that the machines run at first."""
    lab.restore(lifecycle.BARE)
    return lab.ssh("otter", "uname -r").stdout.strip()


@pytest.fixture(scope="module")
def newer(lab, older):
    """The newer kernel that the suite offers."""
    listed = lab.ssh("otter", "apt-cache depends --important linux-image-cloud-amd64").stdout
    (found,) = re.findall(r"Depends: linux-image-(\S+)", listed)
    assert found != older, "the suite offers one kernel only"
    return found


def said(lab, node, command, **options):
    done = lab.ssh(node, f"{command} 2>&1", check=False, timeout=SLOW, **options)
    return done.returncode, done.stdout


def clean(lab, node):
    """Nothing is left half-configured."""
    assert lab.ssh(node, "dpkg --audit").stdout == ""


def cut(lab, node):
    """Cut the power, and return when the next boot has ended."""
    lab.power_cut(node)
    lab.power_on(node)
    lab.wait_ssh([node])
    lab.ssh(node, "systemctl is-system-running --wait", check=False, timeout=SLOW)


def san(*arguments):
    """`san` as an operator calls it."""
    program = str(Path(sys.executable).with_name("san"))
    return subprocess.run(
        [program, *arguments], check=False, capture_output=True, text=True, cwd=ROOT
    )


def reaches(lab, node, test):
    """Wait until the shell's `test` succeeds there."""
    waiting = Retrying(
        stop=stop_after_delay(SLOW),
        wait=wait_fixed(0.5),
        retry=retry_if_result(lambda done: done.returncode != 0),
    )
    waiting(lambda: lab.ssh(node, test, check=False))


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


def test_a_power_cut_then_boots_the_new_kernel_and_the_gate_keeps_the_node_out(lab, newer):
    lab.ssh("otter", "fsfreeze -f / && fsfreeze -u /")  # GRUB doesn't read a journal

    cut(lab, "otter")

    assert lab.ssh("otter", "uname -r").stdout.strip() == newer
    status = said(lab, "otter", "systemctl status heartbeat; systemctl is-active heartbeat")[1]
    assert "inactive" in status.splitlines()[-1]
    assert f"this node must not serve: its kernel {newer} lacks dm-writeboost" in status
    assert f"apt-get install linux-headers-{newer}" in status
    connection(lab, "weasel", "Connected")  # its data goes on being replicated
    assert serving(lab) == "weasel"


def test_a_source_that_does_not_compile_leaves_dpkg_clean_and_the_old_kernel_as_it_was(
    lab, older, newer
):
    lab.ssh("otter", broken())

    status, output = said(lab, "otter", f"{APT} linux-headers-{newer}")

    assert status == 0, output
    version = module().version
    assert f"dm-writeboost {version} is NOT there for {newer}: it does not compile (log:" in output
    clean(lab, "otter")
    assert said(lab, "otter", "san-kmod check --next")[0] == 1
    assert said(lab, "otter", "san-kmod gate")[0] == 1
    assert "#error not this kernel" in log(lab, "otter")
    kept = f"/lib/modules/{older}/updates/san/dm-writeboost.ko"
    assert lab.ssh("otter", f"modinfo -F vermagic {kept}").stdout.startswith(f"{older} ")


def test_a_power_cut_in_the_middle_of_a_build_is_finished_by_the_next_boot(lab):
    lab.ssh("otter", f"{mended()}; rm -rf /var/log/san")
    lab.ssh("otter", "systemd-run --quiet san-kmod build")
    reaches(lab, "otter", "grep -qs '^[+] make' /var/log/san/*.log && pgrep -x cc1")

    cut(lab, "otter")

    lab.ssh("otter", LOADS)
    assert lab.ssh("otter", "san-kmod check").returncode == 0
    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    assert lab.ssh("otter", "ls -A /var/lib/san/kmod/work").stdout == ""
    run = deploy(inventory=INVENTORY)
    assert run.returncode == 0, run.log
    assert run.changed == 0, run.log
    assert serving(lab) == "weasel"


def test_a_kernel_that_is_removed_takes_its_builds_with_it(lab, older):
    status, output = said(
        lab, "otter", f"DEBIAN_FRONTEND=noninteractive apt-get purge --yes 'linux-*{older}'"
    )

    assert status == 0, output
    assert lab.ssh("otter", f"find / -xdev -path '*dm-writeboost*{older}*'").stdout == ""
    assert lab.ssh("otter", f"find /lib/modules/{older} -name '*.ko' 2>/dev/null || :").stdout == ""
    clean(lab, "otter")


def test_a_power_cut_in_the_middle_of_a_kernels_installation_is_finished_by_the_next_run(
    lab, older, newer
):
    image = f"linux-image-{older}"
    lab.ssh("otter", f"systemd-run --quiet sh -c '{APT} {image} linux-headers-{older}'")
    half = "dpkg-query --show --showformat='${db:Status-Status}'"
    reaches(lab, "otter", f"{half} {image} | grep -q half-installed")

    cut(lab, "otter")

    assert lab.ssh("otter", "uname -r").stdout.strip() == newer
    lab.ssh("otter", LOADS)
    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    run = deploy(inventory=INVENTORY)
    assert run.returncode == 0, run.log
    clean(lab, "otter")
    again = deploy(inventory=INVENTORY)
    assert again.changed == 0, again.log
    assert serving(lab) == "weasel"


def test_a_kernel_of_another_line_comes_with_its_module_and_boots(lab):
    if lab.suite not in BACKPORTS:
        pytest.skip(f"no other line's kernel is in {lab.suite}'s image: set SAN_LAB_SUITE=bookworm")
    backports = f"-t {lab.suite}-backports linux-image-cloud-amd64 linux-headers-cloud-amd64"

    status, output = said(lab, "otter", f"{APT} {backports}")

    assert status == 0, output
    clean(lab, "otter")
    assert said(lab, "otter", "san-kmod check --next")[0] == 0
    lab.ssh("otter", "fsfreeze -f / && fsfreeze -u /")
    cut(lab, "otter")
    assert lab.ssh("otter", "uname -r").stdout.startswith("6.12.")
    lab.ssh("otter", LOADS)
    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    connection(lab, "weasel", "Connected")
    assert serving(lab) == "weasel"


def test_an_upgrade_whose_module_does_not_compile_is_refused_and_the_service_goes_on(
    deployed_lab, older, newer
):
    lab = deployed_lab
    run = with_module(lab)
    assert run.returncode == 0, run.log
    for node in NODES:
        lab.ssh(node, broken())
    target = lab.ssh("weasel", "pidof tgtd").stdout

    done = san("upgrade-kernel", "--yes", "--to", newer, INVENTORY)

    assert done.returncode != 0
    said_so = f"{newer} is not installed, and its package is held: "
    assert said_so in done.stdout + done.stderr
    assert "it does not compile (log: /var/log/san/" in done.stdout + done.stderr
    assert lab.ssh("weasel", "pidof tgtd").stdout == target
    assert serving(lab) == "weasel"
    for node in NODES:
        assert lab.ssh(node, "uname -r").stdout.strip() == older
        assert lab.ssh(node, f"ls /boot/vmlinuz-{newer}", check=False).returncode != 0
        assert lab.ssh(node, "apt-mark showhold").stdout == "linux-image-cloud-amd64\n"
        assert "Kernel upgrade held: " in said(lab, node, "run-parts /etc/update-motd.d")[1]
        clean(lab, node)


def test_both_nodes_get_a_new_kernel_under_a_writing_client(lab, newer):
    """Goes on where the test before has ended: the source has been mended since."""
    for node in NODES:
        lab.ssh(node, mended())

    done = san("drill", "upgrade-kernel", "--json", "--to", newer, INVENTORY)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lost"] == 0
    assert set(found["kernels"]["after"].values()) == {newer}
    assert len(found["gap_seconds"]) == 2
    assert serving(lab) == "weasel"
    for node in NODES:
        lab.ssh(node, LOADS)
        assert lab.ssh(node, "apt-mark showhold").stdout == ""
