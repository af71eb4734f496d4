"""What the hosts logged during a drill: kept as it is, and read into a timeline."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import attrs

from . import initiator, journal, takeover, timeline, writer
from .clock import Timebase
from .timeline import Moments, Span, Timeline


@attrs.frozen
class Event:
    """Something a log tells, in seconds after the fault."""

    at: float
    host: str
    kind: str
    text: str


@attrs.frozen
class Witness:
    """A host, its journal as journalctl printed it, and what turns its times into ours."""

    host: str
    journal: str
    base: Timebase


@attrs.frozen(slots=False)
class Evidence:
    """Everything that was logged, and when the fault struck (seconds of our own clock)."""

    struck: str
    struck_at: float
    started: float
    """What was logged before, on our clock, isn't the drill's."""
    survivor: str
    nodes: tuple[Witness, ...]
    """Those that answered in the end."""
    client: Witness
    acks: str
    """The writer's log."""

    def keep(self, directory: Path) -> None:
        """Write the logs down as they are."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "acks.log").write_text(self.acks)
        for witness in (*self.nodes, self.client):
            (directory / f"{witness.host}.journal.jsonl").write_text(witness.journal)

    @cached_property
    def writes(self) -> list[writer.Line]:
        """The writer's log, read."""
        return writer.read_log(self.acks)

    @cached_property
    def records(self) -> Mapping[str, tuple[journal.Record, ...]]:
        """Each host's journal, in seconds after the fault."""
        return {
            witness.host: tuple(
                attrs.evolve(record, time=record.time - self.struck_at)
                for record in journal.parse(witness.journal, witness.base)
                if record.time >= self.started
            )
            for witness in (*self.nodes, self.client)
        }

    @cached_property
    def takeover(self) -> takeover.Takeover:
        """The survivor's story, in seconds after the fault."""
        return takeover.parse(self.records.get(self.survivor, ()), self.struck)

    @cached_property
    def ends(self) -> list[float]:
        """When each write was acknowledged, in seconds after the fault, in order."""
        base = self.client.base
        (boot,) = base.boots
        return sorted(
            base.ours(boot, line.end, line.wall) - self.struck_at
            for line in self.writes
            if isinstance(line, writer.Ack)
        )

    @property
    def errors(self) -> int:
        """How many writes were answered with an error."""
        return sum(isinstance(line, writer.Failure) for line in self.writes)

    def moments(self) -> Moments:
        """When the survivor acted."""
        story = self.takeover
        return Moments(
            declared_dead=story.declared_dead,
            complete=story.complete,
            resources=tuple(Span(step.name, step.start, step.end) for step in story.steps),
        )

    def timeline(self) -> Timeline | None:
        """Where the time went; None when the client never came back."""
        return timeline.build(self.ends, self.moments())

    def events(self) -> tuple[Event, ...]:
        """What the client's storage layers noticed."""
        host = self.client.host
        return tuple(
            Event(seen.time, host, seen.kind, seen.text)
            for seen in initiator.parse(self.records[host])
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        story = self.takeover
        notes = list(story.failures)
        if story.declared_dead is None:
            notes.append(
                f"{self.survivor}'s journal doesn't tell when it declared {self.struck} dead"
            )
        elif not story.steps:
            notes.append(f"{self.survivor}'s journal doesn't tell which resources it started")
        elif not story.end_is_logged:
            notes.append(
                f"{self.survivor}'s journal doesn't tell when {story.steps[-1].name} had started: "
                "its time is in the client's recovery"
            )
        return tuple(notes)
