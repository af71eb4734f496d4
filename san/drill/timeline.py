"""Where a failover's time goes: the gap the client saw, split into phases.

All times are seconds after the fault; those before it are negative.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

CUT_TAKES = 2.0
"""Seconds in which the last acknowledgements may still arrive: the cut itself isn't instant, and
the clocks of host and client differ a little."""
PAUSE = 1.0
"""Seconds without an acknowledgement that are worth telling, besides the gap."""

BEFORE, DETECTION, TAKEOVER, RECOVERY = "before_fault", "detection", "takeover", "client_recovery"
UNEXPLAINED = "unexplained"
PREPARATION = "preparation"


@attrs.frozen
class Span:
    """A named stretch of time."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@attrs.frozen
class Moments:
    """What the survivor's log tells, in seconds after the fault; None where it doesn't."""

    declared_dead: float | None = None
    complete: float | None = None
    resources: tuple[Span, ...] = ()


@attrs.frozen
class Timeline:
    """The gap and what it is made of."""

    gap: Span
    """Between the last acknowledgement before and the first one after the outage."""
    phases: tuple[Span, ...]
    """One after the other without holes: they sum to the gap."""
    resources: tuple[Span, ...]
    """The takeover, one after the other without holes."""
    pauses: tuple[Span, ...]
    """Other pauses of more than a second."""


def find_gap(ends: Sequence[float]) -> Span | None:
    """Find the longest interval between two acknowledgements that spans the fault, at time 0."""
    spanning = [Span("gap", a, b) for a, b in pairwise(ends) if a <= CUT_TAKES and b > 0]
    return max(spanning, key=lambda span: span.seconds, default=None)


def split(gap: Span, moments: Moments) -> tuple[Span, ...]:
    """Split the gap into phases; what lies around an unknown moment is unexplained."""
    cuts: list[tuple[str, float]] = [(BEFORE, 0.0)]
    known = True
    for name, cut in (
        (DETECTION, moments.declared_dead),
        (TAKEOVER, moments.complete),
        (RECOVERY, gap.end),
    ):
        if cut is not None:
            cuts.append((name if known else UNEXPLAINED, cut))
        known = cut is not None
    return _chain(gap, cuts)


def split_takeover(takeover: Span, resources: Sequence[Span]) -> tuple[Span, ...]:
    """Split the takeover by resource, up to each one's end.

    The time between two scripts is the next one's: Heartbeat probes its status there.
    """
    first = [(PREPARATION, resources[0].start)] if resources else []
    return _chain(takeover, [*first, *((span.name, span.end) for span in resources)])


def _chain(within: Span, cuts: Iterable[tuple[str, float]]) -> tuple[Span, ...]:
    """Lay spans end to end, each up to its cut, none outside `within`."""
    spans = []
    start = within.start
    for name, cut in cuts:
        end = min(max(cut, start), within.end)
        spans.append(Span(name, start, end))
        start = end
    return tuple(spans)


def build(ends: Sequence[float], moments: Moments) -> Timeline | None:
    """Build the timeline from the acknowledgements' times; None when none came after the fault."""
    gap = find_gap(ends)
    if gap is None:
        return None
    phases = split(gap, moments)
    takeover = next((phase for phase in phases if phase.name == TAKEOVER), None)
    pauses = (Span("pause", a, b) for a, b in pairwise(ends) if b - a > PAUSE)
    return Timeline(
        gap=gap,
        phases=phases,
        resources=split_takeover(takeover, moments.resources) if takeover else (),
        pauses=tuple(pause for pause in pauses if (pause.start, pause.end) != (gap.start, gap.end)),
    )


def rate(ends: Iterable[float], width: float) -> tuple[tuple[float, float], ...]:
    """Count acknowledgements a second, in buckets of `width` seconds without holes."""
    counts = Counter(int(end // width) for end in ends)
    if not counts:
        return ()
    return tuple((n * width, counts[n] / width) for n in range(min(counts), max(counts) + 1))
