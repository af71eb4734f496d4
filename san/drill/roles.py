"""Who could write, and when: read from what DRBD says in both nodes' kernel logs.

A node could write while its DRBD was Primary and its I/O not suspended, its processors ran and it
had power. DRBD's own word counts, not what clients reached: two such nodes at one moment are two
writers, whether anybody wrote to both or not.

Where a node's boot ended without our doing (a watchdog, a fencing device, a panic), its last record
is taken as the end: a journal reaches the disk some seconds late, so that such a node may have been
able to write for up to 5 s more than this tells.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import attrs

from .journal import Record
from .stage import OFF
from .timeline import Span

TOLERANCE = 0.25
"""Seconds of overlap that the reading of two machines' clocks may invent."""
PRIMARY, SUSPENDED = "Primary", "Primary, suspended"

# block drbd0: role( Secondary -> Primary ); drbd r0: susp( 0 -> 1 ); several in one line
_OF_DRBD = re.compile(r"^(?:block drbd\d+|drbd \S+): ")
_CHANGE = re.compile(r"(role|susp|conn|disk|pdsk)\( (\S+) -> (\S+) \)")


@attrs.frozen
class Change:
    """DRBD went from one state to another."""

    time: float
    boot: str
    name: str
    """`role`, `susp` (1 while I/O waits), `conn`, `disk`, or `pdsk`, the peer's disk."""
    before: str
    after: str


def changes(records: Iterable[Record]) -> tuple[Change, ...]:
    """Pick DRBD's changes of state from a node's journal."""
    return tuple(
        Change(record.time, record.boot, match[1], match[2], match[3])
        for record in records
        if record.who == "kernel" and _OF_DRBD.search(record.text)
        for match in _CHANGE.finditer(record.text)
    )


def reigns(
    records: Sequence[Record],
    boot: str,
    *,
    primary: bool,
    since: float,
    until: float,
    outages: Sequence[Span] = (),
) -> tuple[Span, ...]:
    """When a node was Primary, from `since` (in `boot`, `primary` or not) to `until`, in order.

    Spans named PRIMARY are those in which it could write; SUSPENDED, those in which its I/O waited.
    `outages` (without power, frozen) are cut out.
    """
    boots = list(dict.fromkeys([boot, *(record.boot for record in records)]))
    told = changes(records)
    spans: list[Span] = []
    for each, following in zip_longest(boots, boots[1:]):
        mine = [change for change in told if change.boot == each and change.time >= since]
        end = _end(records, each, following, since, outages) if following else until
        spans += _in_boot(mine, since, end, primary=primary and each == boot)
    for outage in outages:
        spans = [part for span in spans for part in without(span, outage)]
    return tuple(spans)


def _end(
    records: Iterable[Record], boot: str, following: str, since: float, outages: Iterable[Span]
) -> float:
    """When a boot ended: at the outage before the following one, else with its last record."""
    last = max((record.time for record in records if record.boot == boot), default=since)
    first = min(record.time for record in records if record.boot == following)
    cuts = (outage.start for outage in outages if outage.name == OFF)
    return min((cut for cut in cuts if last - 1 <= cut <= first), default=last)


def _in_boot(
    told: Iterable[Change], since: float, until: float, *, primary: bool
) -> Iterator[Span]:
    suspended = False
    start, name = since, PRIMARY if primary else ""
    for change in told:
        if change.name == "role":
            primary = change.after == "Primary"
        elif change.name == "susp":
            suspended = change.after == "1"
        becomes = "" if not primary else SUSPENDED if suspended else PRIMARY
        if becomes != name:
            if name and change.time > start:
                yield Span(name, start, change.time)
            start, name = change.time, becomes
    if name and until > start:
        yield Span(name, start, until)


def without(span: Span, outage: Span) -> tuple[Span, ...]:
    """What is left of a span outside of an outage."""
    before = Span(span.name, span.start, min(span.end, outage.start))
    after = Span(span.name, max(span.start, outage.end), span.end)
    return tuple(part for part in (before, after) if part.end > part.start)


def writers_at_once(nodes: Mapping[str, Iterable[Span]]) -> int:
    """The most nodes that could write at one moment; an overlap within TOLERANCE is none."""
    edges = []
    for spans in nodes.values():
        for span in spans:
            if span.name == PRIMARY and span.seconds > TOLERANCE:
                edges += [(span.start + TOLERANCE / 2, 1), (span.end - TOLERANCE / 2, -1)]
    most = now = 0
    for _, step in sorted(edges):  # an end before a beginning at the same moment
        now += step
        most = max(most, now)
    return most
