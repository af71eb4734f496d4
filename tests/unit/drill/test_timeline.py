"""The gap and its phases."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.drill import timeline
from san.drill.timeline import CUT_TAKES, PAUSE, Moments, Span

times = st.floats(-100, 300, allow_nan=False)
moment = st.none() | times
acknowledged = st.lists(times, min_size=2, max_size=40, unique=True).map(sorted)


@st.composite
def moments(draw):
    """Whatever a log might tell, in any order, with holes."""
    spans = st.tuples(times, times).map(lambda pair: Span("script", *sorted(pair)))
    return Moments(draw(moment), draw(moment), tuple(draw(st.lists(spans, max_size=6))))


def chained(spans, within):
    """The spans lie end to end and fill `within` exactly."""
    assert spans[0].start == within.start
    assert spans[-1].end == within.end
    assert all(a.end == b.start for a, b in pairwise(spans))
    assert all(span.seconds >= 0 for span in spans)


@given(ends=acknowledged, moments=moments())
def test_phases_fill_the_gap_and_are_never_negative(ends, moments):
    seen = timeline.build(ends, moments)
    if seen is None:
        assert not any(b > 0 and a <= CUT_TAKES for a, b in pairwise(ends))
        return
    chained(seen.phases, seen.gap)
    assert math.isclose(sum(phase.seconds for phase in seen.phases), seen.gap.seconds, abs_tol=1e-6)
    if seen.resources:
        (takeover,) = (phase for phase in seen.phases if phase.name == timeline.TAKEOVER)
        assert seen.resources[0].start == takeover.start
        assert all(a.end == b.start for a, b in pairwise(seen.resources))
        assert seen.resources[-1].end <= takeover.end


@given(ends=acknowledged)
def test_the_gap_is_the_longest_interval_that_spans_the_fault(ends):
    gap = timeline.find_gap(ends)
    spanning = [b - a for a, b in pairwise(ends) if a <= CUT_TAKES and b > 0]
    assert (gap.seconds if gap else 0) == max(spanning, default=0)


@given(ends=acknowledged, moments=moments())
def test_every_pause_is_told_once(ends, moments):
    seen = timeline.build(ends, moments)
    if seen is not None:
        pauses = sum(b - a > PAUSE for a, b in pairwise(ends))
        assert len(seen.pauses) + (seen.gap.seconds > PAUSE) == pauses


def test_a_plain_takeover():
    ends = [-0.3, -0.2, -0.1, 21.0, 21.1]
    resources = (Span("drbddisk::r0", 11, 13), Span("LVM::storage", 13.5, 16), Span("tgt", 16, 18))
    seen = timeline.build(ends, Moments(10, 18, resources))
    assert seen.gap == Span("gap", -0.1, 21)
    assert seen.phases == (
        Span("before_fault", -0.1, 0),
        Span("detection", 0, 10),
        Span("takeover", 10, 18),
        Span("client_recovery", 18, 21),
    )
    assert seen.resources == (
        Span("preparation", 10, 11),
        Span("drbddisk::r0", 11, 13),
        Span("LVM::storage", 13, 16),
        Span("tgt", 16, 18),
    )
    assert seen.pauses == ()


def test_an_acknowledgement_on_its_way_when_the_power_went():
    """The cut takes a moment: what came shortly after the fault doesn't hide the gap."""
    seen = timeline.build([-0.1, 0.2, 20], Moments(10, 15))
    assert seen.gap == Span("gap", 0.2, 20)
    assert seen.phases[0] == Span("before_fault", 0.2, 0.2)
    assert seen.phases[1] == Span("detection", 0.2, 10)


def test_a_client_back_before_the_log_says_so():
    seen = timeline.build([-1, 14], Moments(10, 15))
    assert seen.phases[-2:] == (Span("takeover", 10, 14), Span("client_recovery", 14, 14))


@pytest.mark.parametrize(
    ("moments", "names"),
    [
        (Moments(None, None), ["before_fault", "unexplained"]),
        (Moments(10, None), ["before_fault", "detection", "unexplained"]),
        (Moments(None, 15), ["before_fault", "unexplained", "client_recovery"]),
    ],
)
def test_what_the_log_doesn_t_tell_is_unexplained(moments, names):
    seen = timeline.build([-1, 20], moments)
    assert [phase.name for phase in seen.phases] == names
    chained(seen.phases, seen.gap)
    assert seen.resources == ()


def test_no_acknowledgement_after_the_fault_is_no_timeline():
    assert timeline.build([-3, -2, -1], Moments()) is None
    assert timeline.build([], Moments()) is None


def test_a_pause_besides_the_gap_is_told():
    seen = timeline.build([-5, -3, -0.1, 20, 24, 24.5], Moments())
    assert seen.pauses == (Span("pause", -5, -3), Span("pause", -3, -0.1), Span("pause", 20, 24))


@given(ends=acknowledged, width=st.sampled_from([0.5, 1.0, 2.0]))
def test_the_rate_counts_every_acknowledgement(ends, width):
    rate = timeline.rate(ends, width)
    assert round(sum(value * width for _, value in rate)) == len(ends)
    assert all(b - a == width for (a, _), (b, _) in pairwise(rate))
    assert rate[0][0] <= ends[0] < rate[0][0] + width
