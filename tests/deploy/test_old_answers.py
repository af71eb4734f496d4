"""The service moves by itself in the middle of a run: nothing acts on what was read before."""

import attrs
import pytest
from bed import ROOT
from simulation import KERNEL, NEWER, ORIGIN
from test_changes import another_portal, deadtime, volume_and_target
from test_upgrade import FIXTURE


def moved_before_each(bed, deploy="deploy.py"):
    """Runs, in each of which the service moves before another of its operations."""
    worlds = [bed.keep()] * (ROOT / deploy).read_text().count("name=")
    yield from bed.run_each(worlds, "-y", deploy=deploy, SAN_FAIL_OVER="each")


@pytest.mark.parametrize(
    "change", [deadtime, another_portal, volume_and_target], ids=lambda each: each.__name__
)
def test_a_run_never_takes_the_serving_node_for_the_standby(served, change):
    """A restart of its Heartbeat, a portal or a file there before the standby has it."""
    served.declare(attrs.evolve(served.cluster, **change(served.cluster)))
    refusals = 0
    for ran, world in moved_before_each(served):
        assert world.accidents == [], ran.output
        assert "Traceback" not in ran.output
        if ran.returncode:
            refusals += "otter serves now, and weasel did when this run began" in ran.refusal
        else:
            for path in ("/etc/ha.d/ha.cf", "/etc/ha.d/haresources", "/etc/san/stgt.conf"):
                texts = {world.machines[name].text(path) for name in ("weasel", "otter")}
                assert len(texts) == 1, "a run that ends well leaves no node out"
    assert refusals


# In the next ones nothing is written before the act, so nothing has been forgotten either.


def test_heartbeat_is_never_restarted_where_it_holds_the_group(served):
    def older(node):
        node.heartbeat = ("an older ha.cf", node.heartbeat[1])

    served.change(weasel=older, otter=older)
    for ran, world in moved_before_each(served):
        assert world.accidents == [], ran.output


def test_a_portal_is_started_where_the_service_is(served):
    """On the node that has lost it meanwhile, two nodes would have the address."""
    served.change(weasel=lambda node: node.addresses["eth3"].remove("192.168.2.1/24"))
    for ran, world in moved_before_each(served):
        assert "192.168.2.1/24" not in world.machines["weasel"].addresses["eth3"], ran.output


def test_an_upgrade_never_reboots_the_node_that_serves(served):
    served.declare(attrs.evolve(served.cluster, modules=(FIXTURE,)))
    assert served.run("-y").returncode == 0
    world = served.world
    for name in ("weasel", "otter"):
        node = world.machines[name]
        node.kernels, node.headers = [KERNEL, NEWER], {KERNEL, NEWER}
        node.modules["fixture", NEWER] = world.key(node, "fixture", NEWER)
        node.files[ORIGIN] = ("weasel\n", 0o644)
    world.save(served.directory)
    for ran, after in moved_before_each(served, "upgrade.py"):
        assert after.accidents == [], ran.output
        assert "Traceback" not in ran.output


def test_a_run_goes_on_after_it(served):
    """The next one begins with who serves then."""
    served.declare(attrs.evolve(served.cluster, **deadtime(served.cluster)))
    assert served.run("-y", SAN_FAIL_OVER="9").returncode == 1
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert served.world.serving() == "otter"
    assert served.world.accidents == []


def test_what_another_operation_changes_is_read_anew(served, tmp_path):
    """Other operations may stand between ours."""
    text = """
from operations import network, preflight, volumes
from pyinfra.operations import server

preflight.safe(name="Safe")
server.shell(name="Another's", commands=["rm -f /etc/lvm/lvmlocal.conf"])
volumes.visible(turn="standby", name="LVM filter, standby first")
"""
    deploy = tmp_path / "mixed.py"
    deploy.write_text(text)
    ran = served.run("-y", deploy=str(deploy))
    assert ran.returncode == 0, ran.output
    assert served.world.machines["otter"].text("/etc/lvm/lvmlocal.conf"), "installed again"
