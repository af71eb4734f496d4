"""While nobody serves, a run brings no data into service that may be the older."""

import pytest

PROMOTING = ("drbdadm primary", "systemctl start heartbeat.service")


def otter_is_newer(bed):
    """Otter served on while the link was down, and still is apart."""
    world = bed.world
    world.replicating = False
    newer = world.machines["otter"].replicas["r0"]
    newer.bitmap, newer.generation, newer.changed = newer.generation, "AAAAAAAAAAAAAAA0", 8
    world.save(bed.directory)


def promoting(ran):
    return [each for each in ran.commands if each[1].startswith(PROMOTING)]


def test_nodes_that_are_equal_are_started(stopped):
    ran = stopped.run("-y")
    assert ran.returncode == 0, ran.output
    assert stopped.world.serving() == "weasel"


def test_the_older_side_is_not_promoted(stopped):
    otter_is_newer(stopped)
    ran = stopped.run("-y")
    assert "r0 on weasel is WFConnection, UpToDate/DUnknown: otter has the newer" in ran.refusal
    assert promoting(ran) == []
    assert "as it is now, no node would be promoted: r0 on weasel" in stopped.run("--dry").output


def test_a_link_that_is_down_is_enough(stopped):
    """Both have the same, as far as they know; a run that may have been wrong starts nothing."""
    world = stopped.world
    world.replicating = False
    world.save(stopped.directory)
    ran = stopped.run("-y")
    assert "whose data is newer isn't known" in ran.refusal
    assert promoting(ran) == []


def test_a_heartbeat_that_runs_alone_gets_no_peer_with_other_data(stopped):
    stopped.change(otter=lambda node: setattr(node, "heartbeat", ("", "")))
    otter_is_newer(stopped)
    ran = stopped.run("-y")
    assert promoting(ran) == []
    assert ran.returncode == 1


@pytest.mark.parametrize(("named", "serves"), [("otter", "otter"), ("weasel", None)])
def test_the_side_that_is_named_serves_if_it_is_not_the_older(stopped, named, serves):
    otter_is_newer(stopped)
    ran = stopped.run("-y", "--data", f"data_from={named}")
    assert {host for host, _ in promoting(ran)} == ({serves} if serves else set())
    if serves is None:
        assert "otter has the newer data of r0" in ran.refusal
        return
    assert "Heartbeat doesn't run on weasel" in ran.refusal, "it serves, and isn't whole yet"
    assert stopped.world.serving() == "otter"
    again = stopped.run("-y")
    assert promoting(again) == [], "weasel would serve its older data when otter dies"
    assert "Heartbeat stays stopped: r0 on weasel is WFConnection" in again.output
    world = stopped.world
    world.replicating = True
    world.save(stopped.directory)
    again = stopped.run("-y")
    assert again.returncode == 0, again.output
    assert stopped.world.serving() == "otter"
    assert stopped.world.accidents == []


def test_nodes_that_the_run_brings_together_are_started(stopped):
    """A device that stands alone is no reason: adjust connects it."""
    stopped.change(otter=lambda node: setattr(node.replicas["r0"], "parted", True))
    ran = stopped.run("-y")
    assert ran.returncode == 0, ran.output
    assert stopped.world.serving() == "weasel"
