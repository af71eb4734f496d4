"""Ended anywhere, the next run finishes, and nothing is done twice that must not be."""

import attrs
import pytest
from test_changes import deadtime, volume_and_target
from test_upgrade import FIXTURE


def finishes_from_everywhere(bed, before, deploy="deploy.py"):
    """End a run after each of its commands in turn; the next one always ends in the same state.

    What a killed run leaves is what the hosts were after its last command, so each of these states
    is kept during one whole run, and a new run starts from each.
    """
    bed.restore(before)
    whole = bed.run("-y", deploy=deploy, SAN_KEEP="1")
    assert whole.returncode == 0, whole.output
    wanted = bed.world.lasting()
    states = [
        (bed.directory / f"world.{number}").read_bytes()
        for number in range(1, len(whole.commands) + 1)
    ]
    for number, (ran, world) in enumerate(bed.run_each(states, "-y", deploy=deploy), start=1):
        left = f"ended after {number}, {whole.commands[number - 1]}: {ran.output}"
        assert ran.returncode == 0, left
        assert world.accidents == [], left
        assert world.lasting() == wanted, left
    return len(states)


def test_from_bare(bare):
    assert finishes_from_everywhere(bare, bare.keep()) > 70


@pytest.mark.parametrize("change", [deadtime, volume_and_target], ids=lambda each: each.__name__)
def test_from_a_changed_inventory(served, change):
    before = served.keep()
    served.declare(attrs.evolve(served.cluster, **change(served.cluster)))
    finishes_from_everywhere(served, before)


@pytest.mark.parametrize("number", [1, 20, 60])
@pytest.mark.parametrize("how", ["SAN_KILL", "SAN_INTERRUPT"])
def test_for_real(bare, how, number):
    """The process itself is ended, by a signal."""
    ended = bare.run("-y", **{how: str(number)})
    assert number <= len(ended.commands) < 77
    assert "Traceback" not in ended.output
    ran = bare.run("-y")
    assert ran.returncode == 0, ran.output
    assert bare.world.serving() == "weasel"
    assert bare.world.accidents == []


def test_in_the_middle_of_dpkg(bare):
    bare.change(otter=lambda node: node.unpacked.update({"heartbeat", "drbd-utils"}))
    ran = bare.run("-y")
    assert ran.returncode == 0, ran.output
    assert bare.world.serving() == "weasel"


def test_from_a_kernel_upgrade(served):
    served.declare(attrs.evolve(served.cluster, modules=(FIXTURE,)))
    served.run("-y")
    assert finishes_from_everywhere(served, served.keep(), deploy="upgrade.py") > 10
    assert served.world.serving() == "weasel"
