"""The service moves by itself in the middle of a run: nothing acts on what was read before."""

import attrs
import pytest
from bed import ROOT
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
        written = [host for host, command in ran.commands if "san-install" in command]
        nodes = [host for host in written if host != "badger"]
        assert nodes in (sorted(nodes), sorted(nodes, reverse=True)), "one node after the other"
    assert refusals


def test_a_portal_is_started_where_the_service_is(served):
    """On the node that has lost it meanwhile, two nodes would have the address."""
    served.declare(attrs.evolve(served.cluster, **another_portal(served.cluster)))
    for ran, world in moved_before_each(served):
        assert "192.168.2.9/24" not in world.machines["weasel"].addresses["eth3"], ran.output


def test_an_upgrade_never_reboots_the_node_that_serves(served):
    served.declare(attrs.evolve(served.cluster, modules=(FIXTURE,)))
    assert served.run("-y").returncode == 0
    for ran, world in moved_before_each(served, "upgrade.py"):
        assert world.accidents == [], ran.output
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
