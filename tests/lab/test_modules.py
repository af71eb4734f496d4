"""A kernel module of Debian's on real kernels: compiled once, and no service without it."""

import pytest

from tests.lab.cluster import deploy, serving
from tests.lab.writeboost import BROKEN, INVENTORY, KO, LOADS, MENDED, log, with_module

pytestmark = [pytest.mark.lab, pytest.mark.kernels, pytest.mark.timeout(1800)]


def test_a_declared_module_is_compiled_once_for_both_nodes_and_loads(deployed_lab):
    run = with_module(deployed_lab)

    assert run.returncode == 0, run.log
    compiled = {node: "+ make" in log(deployed_lab, node) for node in ("weasel", "otter")}
    assert compiled == {"weasel": False, "otter": True}, "the standby compiles"
    sums = {deployed_lab.ssh(node, f"sha256sum < {KO}").stdout for node in ("weasel", "otter")}
    assert len(sums) == 1
    for node in ("weasel", "otter"):
        deployed_lab.ssh(node, LOADS)
        assert deployed_lab.ssh(node, "san-kmod check").returncode == 0
    builder = "stat -c %U /var/lib/san/kmod; getent passwd _san-kmod"
    assert "_san-kmod:" in deployed_lab.ssh("otter", builder).stdout
    again = deploy(inventory=INVENTORY)
    assert again.changed == 0, again.log
    assert max(again.commands_per_host.values()) <= 25


def test_a_node_without_its_module_stays_out_of_the_cluster_until_it_is_built(lab):
    """Goes on where the test before has ended."""
    broken = f"systemctl stop heartbeat; {BROKEN}; rm {KO}; systemctl start heartbeat"
    lab.ssh("otter", broken, timeout=300)

    status = lab.ssh("otter", "systemctl status heartbeat", check=False).stdout
    assert "this node must not serve: its kernel" in status
    assert "inactive" in status
    assert serving(lab) == "weasel"

    lab.ssh("otter", f"{MENDED}; systemctl start heartbeat", timeout=300)

    assert lab.ssh("otter", "systemctl is-active heartbeat").stdout.strip() == "active"
    assert "+ make" in log(lab, "otter")
    lab.ssh("otter", LOADS)
    assert serving(lab) == "weasel"
