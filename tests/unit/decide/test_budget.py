"""What times add up to at each fault, and how that compares with a drill."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from san.decide.budget import FAULTS, TOLERANCE, compared, prediction, predictions, warnings
from san.decide.gap import LAB, Pace
from san.drill.timeline import DETECTION, RECOVERY, TAKEOVER

NAMED = {
    "power-cut",
    "panic",
    "reset",
    "replication-cut",
    "storage-cables",
    "target-killed",
    "target-hung",
    "heartbeat-killed",
    "frozen-60",
    "all-links",
    "move",
}

MEASURED = (13.3, 14.3, 16.6)
"""Gaps in seconds of power cuts in the idle lab (README.md)."""


def with_timing(cluster, **times):
    return attrs.evolve(cluster, timing=attrs.evolve(cluster.timing, **times))


def with_heartbeat(cluster, **times):
    return attrs.evolve(cluster, heartbeat=attrs.evolve(cluster.heartbeat, **times))


def phases(found):
    return {part.name: (part.expected, part.worst) for part in found.parts}


def test_every_drill_has_its_prediction(cluster):
    assert set(FAULTS) >= NAMED
    assert [found.fault for found in predictions(cluster)] == list(FAULTS)


def test_an_unknown_fault(cluster):
    with pytest.raises(KeyError):
        prediction(cluster, "meteorite")


def test_a_power_cut(cluster):
    found = prediction(cluster, "power-cut")
    assert phases(found) == {
        DETECTION: (6, 7),  # deadtime; and a keepalive
        "fencing": (0, 0),
        TAKEOVER: (6, 26),  # and one script that needs its 20 s
        # Requests at 0 and 1 s of an attempt of 3 s, a login, and a poll: its middle and its end.
        RECOVERY: (1.83, 3.5),
    }
    assert (found.expected, found.worst) == (13.8, 36.5)


def test_a_refused_client_pauses(cluster):
    """The guide's order: the portal's address is there before the target is."""
    guide = attrs.evolve(cluster, portals_last=False)
    assert phases(prediction(guide, "power-cut"))[RECOVERY] == (4, 7.5)
    assert phases(prediction(guide, "move"))[RECOVERY] == (2.5, 4.5)


@pytest.mark.parametrize("measured", MEASURED)
def test_it_is_within_a_quarter_of_what_was_measured(cluster, measured):
    assert compared(prediction(cluster, "power-cut"), measured).confirmed


class TestComparison:
    @pytest.mark.parametrize(
        ("measured", "ratio", "confirmed"),
        [(13.8, 1, True), (17.2, 1.246, True), (17.3, 1.254, False), (10.3, 0.746, False)],
    )
    def test_it(self, cluster, measured, ratio, confirmed):
        found = compared(prediction(cluster, "power-cut"), measured)
        assert found.ratio == pytest.approx(ratio, abs=0.001)
        assert found.confirmed is confirmed
        assert abs(ratio - 1) <= TOLERANCE or not confirmed

    def test_in_words(self, cluster):
        found = compared(prediction(cluster, "power-cut"), 21.057)
        assert str(found) == "predicted 13.8 s, measured 21.1 s, 1.53 of it"


class TestFaults:
    @pytest.mark.parametrize("fault", ["panic", "reset", "all-links", "frozen-60"])
    def test_a_silent_node_is_a_silent_node(self, cluster, fault):
        assert prediction(cluster, fault).parts == prediction(cluster, "power-cut").parts

    def test_a_short_freeze_moves_nothing(self, cluster):
        patient = with_heartbeat(cluster, deadtime=30, initdead=60)
        assert prediction(patient, "frozen-20").expected == 20
        assert prediction(patient, "frozen-20").worst == 20
        assert prediction(patient, "frozen-60").expected == 37.8

    def test_heartbeat_killed_is_served_until_the_watchdog(self, cluster):
        """Which resets after deadtime: the peer waits for DRBD to notice, and for nothing else."""
        found = phases(prediction(cluster, "heartbeat-killed"))
        assert found[DETECTION] == (4.5, 4.5)
        assert found[TAKEOVER] == (6, 26)

    def test_a_cut_replication_waits_for_drbd_and_its_handler(self, cluster):
        found = phases(prediction(cluster, "replication-cut"))
        assert found == {DETECTION: (4.5, 4.5), "fencing": (1, 4)}
        slow = with_timing(cluster, fence_answer=40)
        assert prediction(slow, "replication-cut").worst == 44.5

    def test_one_of_two_cables_is_multipaths(self, cluster):
        found = phases(prediction(cluster, "storage-cable"))
        assert found == {DETECTION: (3, 4), RECOVERY: (5, 6)}

    def test_the_only_cable_moves_the_group(self, cluster):
        single = attrs.evolve(cluster, portals=cluster.portals[:1])
        whole = prediction(single, "storage-cables")
        assert prediction(single, "storage-cable").parts == whole.parts

    def test_a_hung_target_is_noticed_later_than_a_dead_one(self, cluster):
        killed, hung = (
            phases(prediction(cluster, fault)) for fault in ("target-killed", "target-hung")
        )
        assert killed[DETECTION] == (2, 3)
        assert hung[DETECTION] == (8, 9)
        assert killed[TAKEOVER] == hung[TAKEOVER] == (3, 23)

    def test_a_pulled_cable_may_be_a_switch_that_restarts(self, cluster):
        patient = with_timing(cluster, watch_cut=20)
        found = (phases(prediction(one, "storage-cables"))[DETECTION] for one in (cluster, patient))
        assert list(found) == [(6, 9), (21, 24)]

    def test_a_move_has_nothing_to_find_out(self, cluster):
        assert phases(prediction(cluster, "move")) == {TAKEOVER: (8.5, 28.5), RECOVERY: (1.83, 3.5)}

    def test_a_session_found_broken_late_delays_the_client(self, cluster):
        patient = with_timing(cluster, noop_interval=10, noop_timeout=15)
        quick = Pace(takeover=2)
        late = phases(prediction(patient, "power-cut", quick))[RECOVERY]
        assert late == (pytest.approx(20 - 8 + 1.83, abs=0.01), 25 - 8 + 3.5)

    @pytest.mark.parametrize(
        ("fault", "relies"),
        [("power-cut", ""), ("target-hung", "the watch"), ("heartbeat-killed", "the watchdog")],
    )
    def test_what_it_relies_on_is_said(self, cluster, fault, relies):
        assert prediction(cluster, fault).relies == relies


class TestPace:
    def test_a_quicker_machine(self, cluster):
        found = prediction(cluster, "power-cut", attrs.evolve(LAB, takeover=2))
        assert (found.expected, found.worst) == (9.8, 32.5)

    def test_fencing_is_waited_for(self, cluster):
        found = prediction(cluster, "power-cut", attrs.evolve(LAB, fencing=5))
        assert (found.expected, found.worst) == (18.8, 41.5)

    def test_the_slowest_step_counts_once(self, cluster):
        slow = with_timing(cluster, volume_group=50)
        assert prediction(slow, "power-cut").worst == 66.5
        assert prediction(with_timing(cluster, fence_peer=60), "power-cut").worst == 76.5


class TestWarnings:
    def test_guests_that_give_up(self, cluster):
        (hypervisors,) = warnings(cluster)
        assert hypervisors.startswith("longer than 30 s at worst")
        assert "power-cut (36.5 s)" in hypervisors
        assert "replication-cut" not in hypervisors
        windows = warnings(with_timing(cluster, volume_group=50))[1]
        assert windows.startswith("longer than 60 s at worst")
        assert "Windows" in windows

    def test_none_where_all_is_short(self, cluster):
        swift = with_timing(
            cluster, target_start=5, target_stop=5, volume_group=5, fence_peer=7, watch_answer=1
        )
        assert warnings(swift, Pace(takeover=2, release=1)) == ()

    def test_a_reset_that_drbd_notices_too_late(self, cluster):
        """A promotion is tried six times: 5 s of pauses, and each time ping_timeout and 0.1 s."""
        slow = with_timing(
            with_heartbeat(cluster, deadtime=30, initdead=60), ping_int=10, ping_timeout=0.5
        )
        assert (
            "notices 40.5 s after the death; drbd-primary gives up its promotion after 38.6 s"
            in (warnings(slow)[-1])
        )
        assert "gives up its promotion" not in str(warnings(with_timing(slow, ping_int=7)))

    def test_a_client_that_boots_meanwhile(self, cluster):
        hasty = with_timing(cluster, login_attempts=12)
        assert "gives up its login after 36 s" in warnings(hasty)[-1]
        assert len(warnings(with_timing(cluster, login_attempts=13))) == 1


GROWS = (
    "ping_int",
    "polling_interval",
    "target_start",
    "target_stop",
    "volume_group",
    "fence_peer",
    "fence_answer",
    "watch_interval",
    "watch_answer",
    "replacement_timeout",
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(GROWS), st.integers(1, 100), st.integers(1, 100))
def test_no_time_that_grows_shortens_a_gap(cluster, name, one, other):
    short, long = sorted((one, other))
    before, after = (with_timing(cluster, **{name: value}) for value in (short, long))
    for first, second in zip(predictions(before), predictions(after), strict=True):
        assert first.expected <= second.expected
        assert first.worst <= second.worst
        assert first.expected <= first.worst


def test_plain_data_sums_up(cluster):
    for found in predictions(cluster):
        plain = found.to_json()
        parts = plain["phases"].values()
        assert sum(part["expected"] for part in parts) == pytest.approx(plain["expected_seconds"])
        assert sum(part["worst"] for part in parts) == pytest.approx(plain["worst_seconds"])
