"""A survivor's journal under Pacemaker, read."""

from san.drill import pacemaker
from san.drill.journal import Record
from san.drill.takeover import Step


def told(text):
    """Records, each a line: second, who, what was said."""
    lines = (line.split(maxsplit=2) for line in text.strip().splitlines())
    return tuple(Record(float(second), who, said) for second, who, said in lines)


# Captured in the lab: Pacemaker 2.1.5 on Corosync 3.1.7, a power cut of otter; without what says
# nothing of a start.
CAPTURED = told("""
6.894  corosync              [TOTEM ] A processor failed, forming new configuration: token timed out (2700ms), waiting 3300ms for consensus.
10.821 corosync              [TOTEM ] A new membership (1.d) was formed. Members left: 2
10.822 pacemaker-controld     notice: Node otter state is now lost
10.826 pacemaker-controld     warning: Our DC node (otter) left the cluster
10.891 pacemaker-attrd        notice: Node otter state is now lost
12.553 pacemaker-schedulerd   notice: Actions: Promote    drbd:0     ( Unpromoted -> Promoted weasel )
12.793 pacemaker-controld     notice: Initiating notify operation drbd_pre_notify_promote_0 locally on weasel
14.560 pacemaker-controld     notice: Result of notify operation for drbd on weasel: ok
14.571 pacemaker-controld     notice: Initiating promote operation drbd_promote_0 locally on weasel
14.582 pacemaker-controld     notice: Requesting local execution of promote operation for drbd on weasel
17.681 pacemaker-controld     notice: Result of promote operation for drbd on weasel: ok
20.969 pacemaker-controld     notice: Initiating start operation vg_start_0 locally on weasel
29.688 pacemaker-controld     notice: Result of start operation for vg on weasel: ok
29.716 pacemaker-controld     notice: Initiating monitor operation drbd_monitor_29000 locally on weasel
32.086 pacemaker-controld     notice: Result of monitor operation for drbd on weasel: promoted
47.816 pacemaker-controld     notice: Initiating start operation address-b_start_0 locally on weasel
52.007 pacemaker-controld     notice: Result of start operation for address-b on weasel: ok
56.129 pacemaker-controld     notice: Result of monitor operation for address-b on weasel: ok
56.286 pacemaker-controld     notice: Transition 0 (Complete=23, Pending=0, Fired=0, Skipped=0, Incomplete=0, Source=/var/lib/pacemaker/pengine/pe-input-0.bz2)
""")  # fmt: skip  # noqa: E501


def test_a_takeover_goes_from_the_lost_peer_to_the_last_start():
    story = pacemaker.parse(CAPTURED, "otter")

    assert story.declared_dead == 10.822
    assert story.steps == (
        Step("drbd", 14.571, 17.681),
        Step("vg", 20.969, 29.688),
        Step("address-b", 47.816, 52.007),
    )
    assert story.complete == 52.007
    assert story.end_is_logged
    assert story.failures == ()


def test_what_was_started_before_the_peer_was_lost_is_no_takeover():
    assert pacemaker.parse(CAPTURED, "badger").declared_dead is None
    assert pacemaker.parse(CAPTURED, "badger").steps == ()


def test_a_start_without_its_result_has_no_known_end():
    story = pacemaker.parse(CAPTURED[:-3], "otter")

    assert story.steps[-1] == Step("address-b", 47.816, 47.816)
    assert not story.end_is_logged


def test_a_start_that_failed_is_told_and_a_later_one_counts():
    said = " notice: Result of start operation for address-b on weasel: "
    again = (
        *CAPTURED[:-3],
        Record(50.0, "pacemaker-controld", f"{said}error (unknown)"),
        Record(55.0, "pacemaker-controld", f"{said}ok"),
    )
    story = pacemaker.parse(again, "otter")

    assert story.failures == (said.removeprefix(" notice: ") + "error (unknown)",)
    assert story.complete == 55.0


def test_an_instance_of_a_clone_is_the_resource_that_its_result_names():
    asks = " notice: Initiating promote operation drbd:1_promote_0 locally on weasel"
    lost, _, *_ = CAPTURED[2:]
    done = CAPTURED[10]

    story = pacemaker.parse((lost, Record(14.0, "pacemaker-controld", asks), done), "otter")

    assert story.steps == (Step("drbd", 14.0, 17.681),)
