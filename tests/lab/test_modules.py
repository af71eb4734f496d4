"""Kernel modules on real kernels: Debian's dm-writeboost, a kernel that arrives, one that fails.

One story, in order: each test goes on where the one before has ended.
"""

import re

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.lab.cluster import connection, deploy, serving

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]

INVENTORY = "docs/examples/modules.py"
SOURCE = "/usr/src/dm-writeboost-2.2.17"
KO = "/lib/modules/$(uname -r)/updates/san/dm-writeboost.ko"
APT = (
    "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
    " -o Dpkg::Options::=--force-confold"
)
SLOW = 900
"""Seconds that a kernel's installation may take under emulation."""


@pytest.fixture(scope="module")
def newer(lab):
    """The newer kernel that the suite offers; the machines run its older one."""
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
        retry=retry_if_result(lambda boot: boot in {"", before}),
    )
    waiting(lambda: lab.ssh(node, BOOT, check=False, timeout=60).stdout)
    lab.ssh(node, "systemctl is-system-running --wait", check=False, timeout=SLOW)


def test_a_declared_module_is_compiled_once_for_both_nodes_and_loads(deployed_lab):
    for node in ("weasel", "otter"):
        deployed_lab.ssh(node, "dpkg-deb -x /var/cache/apt/archives/dm-writeboost-dkms_*.deb /")

    run = deploy(inventory=INVENTORY)

    assert run.returncode == 0, run.log
    compiled = {node: "+ make" in log(deployed_lab, node) for node in ("weasel", "otter")}
    assert compiled == {"weasel": False, "otter": True}, "the standby compiles"
    sums = {deployed_lab.ssh(node, f"sha256sum < {KO}").stdout for node in ("weasel", "otter")}
    assert len(sums) == 1
    for node in ("weasel", "otter"):
        deployed_lab.ssh(node, "modprobe dm-writeboost && grep -q ^dm_writeboost /proc/modules")
        assert deployed_lab.ssh(node, "san-kmod check").returncode == 0
    builder = "stat -c %U /var/lib/san/kmod; getent passwd _san-kmod"
    assert "_san-kmod:" in deployed_lab.ssh("otter", builder).stdout
    again = deploy(inventory=INVENTORY)
    assert again.changed == 0, again.log
    assert max(again.commands_per_host.values()) <= 25


def log(lab, node):
    return lab.ssh(node, "cat /var/log/san/dm-writeboost-*.log 2>/dev/null || :").stdout


def test_an_image_without_its_headers_is_installed_and_tells_not_to_reboot(lab, newer):
    status, output = said(lab, "otter", f"{APT} linux-image-{newer}")

    assert status == 0, output
    assert f"apt-get install linux-headers-{newer}" in output
    assert f"do not reboot into {newer}" in output
    clean(lab, "otter")
    assert "DO NOT REBOOT" in said(lab, "otter", "run-parts /etc/update-motd.d")[1]
    assert said(lab, "otter", "san-kmod check --next")[0] == 1
    assert said(lab, "otter", "san-kmod gate")[0] == 0


def test_a_source_that_does_not_compile_leaves_dpkg_clean_and_the_old_kernel_as_it_was(lab, newer):
    lab.ssh("otter", f"echo '#error not this kernel' >> {SOURCE}/dm-writeboost-target.c")

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
    lab.ssh("otter", f"sed -i '$d' {SOURCE}/dm-writeboost-target.c")

    run = deploy(inventory=INVENTORY)

    assert run.returncode == 0, run.log
    lab.ssh("otter", "modprobe dm-writeboost && grep -q ^dm_writeboost /proc/modules")
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
