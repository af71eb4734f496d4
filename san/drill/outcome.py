"""What came of one fault, held against what must."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import attrs

from . import roles
from . import state as states
from .evidence import Event
from .fault import CLIENT_NEVER, Expectation
from .journal import Record
from .report import Report
from .state import NodeState
from .strain import Strain
from .timeline import PAUSE, Span

MOST_LINES = 3
"""Forbidden lines that are told one by one."""


@attrs.frozen
class Outcome:
    """One drill of the matrix. Times are seconds after the fault."""

    fault: str
    title: str
    depth: int
    fenced: bool
    serving: str
    standby: str
    client: str
    accel: str
    suite: str
    started: str
    """When, in ISO 8601, UTC."""
    seconds: float
    """How long the drill took, from the first write to the verdict."""
    expected: Expectation
    steps: tuple[tuple[float, str], ...]
    """What was done, and when it was begun."""
    waits: tuple[Span, ...]
    """The client's waits for an acknowledgement that ended after the fault, longest first; only the
    longest may be shorter than a second."""
    acked: int
    errors: int
    verification: Mapping[str, object] | None
    """What became of the acknowledged blocks; None where the client can't read them any more."""
    reigns: Mapping[str, tuple[Span, ...]]
    outages: Mapping[str, tuple[Span, ...]]
    after: tuple[NodeState, ...]
    forbidden: tuple[str, ...]
    booted: tuple[str, ...]
    """The nodes whose boot in the end was another than before the fault."""
    strain: Strain
    events: tuple[Event, ...]
    rate: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]
    clock_uncertainty: float
    failover: Report | None
    """The takeover, phase by phase, where there was one."""

    @property
    def gap(self) -> float:
        """The client's longest wait, in seconds."""
        return self.waits[0].seconds if self.waits else 0.0

    @property
    def pauses(self) -> tuple[Span, ...]:
        """Its other waits, in the order of time."""
        return tuple(sorted(self.waits[1:], key=lambda wait: wait.start))

    @property
    def lost(self) -> int | None:
        """How many acknowledged blocks can't be read back; None where nobody could look."""
        return None if self.verification is None else int(str(self.verification["lost"]))

    @property
    def corrupted(self) -> int | None:
        """How many of the lost ones hold something that was never acknowledged there."""
        return None if self.verification is None else int(str(self.verification["corrupt"]))

    @property
    def writers(self) -> int:
        """The most nodes that could write at one moment."""
        return roles.writers_at_once(self.reigns)

    @property
    def state(self) -> str:
        """What the pair is afterwards, in words."""
        if states.whole(self.after):
            return f"whole; {states.serving(self.after)} serves"
        return "; ".join(node.sentence for node in self.after)

    @property
    def person(self) -> str:
        """What a person has to do now."""
        return states.advice(self.after)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the drill has failed; empty when all is as it must be."""
        found = []
        if self.lost is None:
            found.append("nobody can read what was acknowledged")
        elif self.lost:
            found.append(f"{self.lost:,} of {self.acked:,} acknowledged writes are lost")
        if self.writers > 1:
            found.append(f"{self.writers} nodes could write at one moment")
        if self.gap > self.expected.gap:
            found.append(f"the client waited {self.gap:.1f} s (limit {self.expected.gap:.0f})")
        if self.errors:
            found.append(f"{self.errors:,} writes were answered with an error")
        if not ended_well(self.after, self.expected, self.serving, self.standby):
            limit = f"{self.expected.limit:.0f} s"
            found.append(f"{limit} after the last step: {self.person or self.state}")
        if self.expected.still:
            found += [f"{node} has booted anew" for node in self.booted]
        for node in (self.serving, self.standby):
            load = self.strain.load.get(node, 0.0)
            if load < self.expected.load:
                found.append(
                    f"{node}'s load average was {load:.1f} per processor, which proves nothing "
                    f"({self.expected.load:g} at least)"
                )
        found += [f"must never be logged: {line}" for line in self.forbidden[:MOST_LINES]]
        return tuple(found)

    def to_json(self) -> dict[str, object]:
        """The drill for a program; seconds are rounded to 1 ms."""
        phases = self.failover.to_json() if self.failover else {}
        return {
            "drill": self.fault,
            "title": self.title,
            "depth": self.depth,
            "stonith": self.fenced,
            "serving": self.serving,
            "standby": self.standby,
            "client": self.client,
            "accel": self.accel,
            "suite": self.suite,
            "started": self.started,
            "seconds": round(self.seconds, 1),
            "passed": not self.problems,
            "problems": list(self.problems),
            "gap_seconds": round(self.gap, 3),
            "gap_limit_seconds": self.expected.gap,
            "pauses": [
                {"at": round(pause.start, 3), "seconds": round(pause.seconds, 3)}
                for pause in self.pauses
            ],
            "phases": phases.get("phases"),
            "resources": phases.get("resources"),
            "acked": self.acked,
            "lost": self.lost,
            "corrupted": self.corrupted,
            "errors": self.errors,
            "verification": dict(self.verification) if self.verification is not None else None,
            "writers_at_once": self.writers,
            "primary": _spans(self.reigns),
            "outages": _spans(self.outages),
            "state": self.state,
            "nodes": [attrs.asdict(node) for node in self.after],
            "person": self.person,
            "steps": [{"at": round(at, 3), "what": what} for at, what in self.steps],
            "forbidden": list(self.forbidden),
            "booted": list(self.booted),
            "strain": self.strain.to_json(),
            "notes": list(self.notes),
            "events": [attrs.asdict(event) | {"at": round(event.at, 3)} for event in self.events],
            "clock_uncertainty_seconds": round(self.clock_uncertainty, 3),
            "acks_per_second": [list(point) for point in self.rate],
        }


def ended_well(
    after: Sequence[NodeState],
    expected: Expectation,
    serving: str,
    standby: str,
    *,
    resynced: bool = True,
) -> bool:
    """Whether the pair is as it must be: one node serves, the right one, and the other stands by.

    `resynced` asks for the same data on both. Where only a person can make the pair whole again,
    one node that serves is enough.
    """
    server = states.serving(after)
    fine = states.whole(after) if resynced else states.together(after)
    if server is None or not (expected.person or fine):
        return False
    return server == {"serving": serving, "standby": standby}.get(expected.serves, server)


def waits(ends: Sequence[float], until: float) -> tuple[Span, ...]:
    """The client's longest wait after the fault, then its others of more than a second.

    Longest first. The last one ends when the drill does.
    """
    found = [Span("wait", a, b) for a, b in pairwise([*ends, until]) if b > max(a, 0)]
    found.sort(key=lambda wait: -wait.seconds)
    return tuple(found[:1] + [wait for wait in found[1:] if wait.seconds > PAUSE])


def forbidden(
    records: Mapping[str, Iterable[Record]], client: str, never: Iterable[str]
) -> tuple[str, ...]:
    """The lines that must never be logged, with their host and second, each text once."""
    found: dict[str, None] = {}
    for host, told in records.items():
        pattern = re.compile("|".join(CLIENT_NEVER if host == client else never))
        seen: set[str] = set()
        for record in told:
            if record.text not in seen and pattern.search(record.text):
                seen.add(record.text)
                found.setdefault(f"{host} at {record.time:.1f} s: {record.text}")
    return tuple(found)


def _spans(by_host: Mapping[str, Iterable[Span]]) -> dict[str, list[dict[str, object]]]:
    return {
        host: [
            {"what": span.name, "from": round(span.start, 3), "to": round(span.end, 3)}
            for span in spans
        ]
        for host, spans in by_host.items()
    }
