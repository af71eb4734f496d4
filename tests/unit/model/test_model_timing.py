"""Times: what each field takes, which pairs conflict, and the change that mends them."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_tree import problems, put

from san.model import Timing
from san.model.conflict import RULES, conflicts
from san.model.declare import takes
from san.model.heartbeat import Heartbeat

SLOW = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

HEARTBEAT = ("keepalive", "warntime", "deadtime", "initdead")
WAITS = tuple(field.name for field in attrs.fields(Timing))


def broken(cluster, **times):
    """The conflicts of the cluster with these times; names are unique in both classes."""
    for name, value in times.items():
        part = "heartbeat" if name in HEARTBEAT else "timing"
        cluster = put(cluster, f"{part}.{name}", value)
    return {conflict.rule: conflict for conflict in conflicts(cluster)}


class TestFields:
    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("ping_int", 0, "from 1 to 120"),
            ("ping_int", 3.0, "whole number"),
            ("ping_int", True, "whole number"),
            ("ping_timeout", 0, "from 0.1 to 30"),
            ("ping_timeout", 1.55, "finer than a tenth of a second, which drbd.conf can't carry"),
            ("ping_timeout", float("nan"), "write seconds"),
            ("drbd_timeout", 61, "from 0.1 to 60"),
            ("replacement_timeout", -1, "whole number from 1"),
            ("noop_interval", 0, "whole number from 1"),
            ("login_attempts", 0, "number of attempts"),
            ("polling_interval", "1", "whole number"),
            ("target_start", 601, "from 1 to 600"),
            ("fence_answer", 4.5, "whole number"),
            ("fence_peer", 0, "whole number from 1"),
            ("watch_interval", 61, "from 1 to 60"),
            ("watch_moves", -1, "number of moves"),
            ("watch_moves_within", 0, "from 1 to 86400"),
            ("watch_retries", 101, "number of tries"),
        ],
    )
    def test_refused_by_path(self, cluster, name, value, words):
        (found,) = problems(put(cluster, f"timing.{name}", value))
        assert found.startswith(f"timing.{name}: ")
        assert words in found

    def test_something_else_in_its_place(self, cluster):
        assert problems(put(cluster, "timing", {"ping_int": 3})) == [
            "timing: it is of type dict, not a Timing"
        ]


class TestConflicts:
    def test_the_reference_cluster_has_none(self, cluster):
        assert conflicts(cluster) == ()

    @pytest.mark.parametrize(
        ("times", "rule", "change"),
        [
            ({"keepalive": 2.9, "warntime": 2.5}, "warntime-above-keepalive", ("keepalive", 2.4)),
            ({"warntime": 1}, "warntime-above-keepalive", ("keepalive", 0.9)),
            ({"warntime": 7}, "warntime-below-deadtime", ("warntime", 5.9)),
            ({"keepalive": 3, "warntime": 4}, "deadtime-above-twice-keepalive", ("deadtime", 6.1)),
            ({"initdead": 11.9}, "initdead-twice-deadtime", ("initdead", 12)),
            ({"deadtime": 4.5, "warntime": 2}, "drbd-before-heartbeat", ("deadtime", 4.6)),
            ({"ping_int": 5}, "drbd-before-heartbeat", ("deadtime", 6.6)),
            ({"ping_timeout": 3}, "drbd-before-heartbeat", ("deadtime", 6.1)),
            ({"drbd_timeout": 3, "connect_int": 4}, "drbd-timeout-below-ping-int", 2.9),
            ({"drbd_timeout": 3, "ping_int": 4}, "drbd-timeout-below-connect-int", 2.9),
            ({"fence_peer": 6}, "fence-peer-above-deadtime", ("deadtime", 5.9)),
            ({"fence_peer": 50}, "promotion-below-resource-script", ("resource_script", 96)),
            ({"replacement_timeout": 26}, "initiator-before-scsi", ("replacement_timeout", 25)),
            ({"polling_interval": 3}, "polling", ("polling_interval", 2)),
            ({"watch_answer": 5}, "watch-detection", ("watch_answer", 3)),
            ({"watch_slow_lun": 5}, "watch-slow-lun", ("watch_slow_lun", 6)),
            ({"volume_group": 21}, "watch-start", ("watch_start", 41)),
            ({"target_stop": 40}, "watch-step", ("watch_step", 61)),
        ],
    )
    def test_each_is_found_alone_with_its_smallest_change(self, cluster, times, rule, change):
        found = broken(cluster, **times)
        if isinstance(change, tuple):
            name, value = change
        else:
            name, value = "drbd_timeout", change
        assert set(found) == {rule}
        assert found[rule].change.path.partition(".")[2] == name
        assert found[rule].change.value == value

    @pytest.mark.parametrize(
        "times",
        [
            {"deadtime": 4.6, "warntime": 2},
            {"ping_timeout": 2.9},
            {"drbd_timeout": 2.9},
            {"initdead": 12},
            {"keepalive": 2.9},
            {"fence_peer": 7},
            {"fence_peer": 44},
            {"replacement_timeout": 25},
            {"polling_interval": 2},
            {"watch_interval": 3},
            {"watch_slow_lun": 6},
            {"watch_start": 41, "volume_group": 21},
            {"watch_step": 41},
            {"deadtime": 30, "initdead": 60, "ping_int": 20, "fence_peer": None},
        ],
    )
    def test_just_enough_is_enough(self, cluster, times):
        assert broken(cluster, **times) == {}

    def test_each_rule_is_tried_here(self):
        marks = TestConflicts.test_each_is_found_alone_with_its_smallest_change.pytestmark
        assert {case[1] for case in marks[0].args[1]} == {rule.name for rule in RULES}

    def test_they_are_problems_of_the_inventory_all_in_one_round(self, cluster):
        found = problems(put(put(cluster, "heartbeat.deadtime", 1), "timing.polling_interval", 9))
        assert [line.split(": ")[0] for line in found] == [
            "heartbeat.deadtime",
            "heartbeat.deadtime",
            "heartbeat.deadtime",
            "timing.max_polling_interval",
        ]
        assert (
            "heartbeat.deadtime: ping_int + ping_timeout (4.5 s) must be below deadtime (1 s): "
            "until DRBD notices that its peer is dead, it refuses to promote the node that takes "
            "over; the smallest change that mends it: heartbeat.deadtime=4.6"
        ) in found


class TestWhatFollows:
    @pytest.mark.parametrize(
        ("deadtime", "reset"), [(6, 6), (5.5, 6), (4.6, 5), (6.99, 7), (30, 30)]
    )
    def test_the_watchdog_fires_at_deadtime_in_whole_seconds(self, cluster, deadtime, reset):
        heartbeat = put(cluster, "heartbeat.deadtime", deadtime).heartbeat
        assert heartbeat.reset_after == reset
        # Heartbeat's own arithmetic: (deadtime + 10 ms), rounded up to seconds
        assert -(-(round(heartbeat.declared_deadtime * 1000) + 10) // 1000) == reset

    def test_without_a_watchdog_ha_cf_says_deadtime_as_it_is(self, cluster):
        heartbeat = put(cluster, "heartbeat.watchdog", None).heartbeat
        assert heartbeat.declared_deadtime == heartbeat.deadtime

    def test_a_promotions_limit_follows_deadtime(self, cluster):
        assert cluster.fence_peer == 20
        free = put(cluster, "timing.fence_peer", None)
        assert put(free, "heartbeat.deadtime", 29.5).fence_peer == 44

    def test_what_is_declared_counts(self, cluster):
        assert put(cluster, "timing.fence_peer", 30).fence_peer == 30


def times(kind, names):
    """Values that the fields take, mostly small ones: there rules are broken and kept by turns."""
    return st.fixed_dictionaries({name: values(kind, name) for name in names})


def values(kind, name):
    whole = attrs.fields_dict(kind)[name].type is not float
    grain = 1 if whole else 1000 if kind is Heartbeat else 10
    numbers = st.one_of(st.integers(1, 8 * grain), st.integers(1, 600 * grain))
    found = numbers if whole else numbers.map(lambda number: number / grain)
    return found.filter(lambda value: takes(kind, name, value))


@SLOW
@given(times(Heartbeat, HEARTBEAT), times(Timing, WAITS), st.data())
def test_every_conflict_vanishes_after_its_change(cluster, beats, waits, data):
    if data.draw(st.booleans()):
        waits["fence_peer"] = None
    heartbeat = attrs.evolve(cluster.heartbeat, **beats)
    cluster = attrs.evolve(cluster, heartbeat=heartbeat, timing=Timing(**waits))

    for conflict in conflicts(cluster):
        change = conflict.change
        if change is None:
            assert conflict.rule in {"initiator-before-scsi", "watch-detection"}
            (rule,) = (rule for rule in RULES if rule.name == conflict.rule)
            assert not any(rule.kept(put(cluster, path, 1)) for path in rule.lower)
            continue
        mended = put(cluster, change.path, change.value)
        assert conflict.rule not in {left.rule for left in conflicts(mended)}, conflict
        part, name = change.path.split(".")
        assert takes(type(getattr(cluster, part)), name, change.value)
