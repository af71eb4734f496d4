"""What the hosts logged during a drill: kept as it is, and read into a timeline."""

from functools import cached_property
from pathlib import Path

import attrs

from . import initiator, journal, takeover, timeline, writer
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
    """A host, its journal as journalctl printed it, and by how many seconds its clock is ahead."""

    host: str
    journal: str
    ahead: float


@attrs.frozen(slots=False)
class Evidence:
    """Everything that was logged, and when the fault struck (seconds of our own clock)."""

    struck: str
    struck_at: float
    survivor: Witness
    client: Witness
    acks: str
    """The writer's log."""

    def keep(self, directory: Path) -> None:
        """Write the logs down as they are."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "acks.log").write_text(self.acks)
        for witness in (self.survivor, self.client):
            (directory / f"{witness.host}.journal.jsonl").write_text(witness.journal)

    @cached_property
    def writes(self) -> list[writer.Line]:
        """The writer's log, read."""
        return writer.read_log(self.acks)

    @cached_property
    def takeover(self) -> takeover.Takeover:
        """The survivor's story, on its own clock."""
        return takeover.parse(journal.parse(self.survivor.journal), self.struck)

    @cached_property
    def ends(self) -> list[float]:
        """When each write was acknowledged, in seconds after the fault."""
        acks = [line for line in self.writes if isinstance(line, writer.Ack)]
        if not acks:
            return []
        fault = timeline.at(acks, self.struck_at + self.client.ahead)
        return [ack.end - fault for ack in acks]

    @property
    def errors(self) -> int:
        """How many writes were answered with an error."""
        return sum(isinstance(line, writer.Failure) for line in self.writes)

    def moments(self) -> Moments:
        """When the survivor acted."""
        story, since = self.takeover, self.struck_at + self.survivor.ahead
        return Moments(
            declared_dead=None if story.declared_dead is None else story.declared_dead - since,
            complete=None if story.complete is None else story.complete - since,
            resources=tuple(
                Span(step.name, step.start - since, step.end - since) for step in story.steps
            ),
        )

    def timeline(self) -> Timeline | None:
        """Where the time went; None when the client never came back."""
        return timeline.build(self.ends, self.moments())

    def events(self) -> tuple[Event, ...]:
        """What the client's storage layers noticed."""
        since = self.struck_at + self.client.ahead
        return tuple(
            Event(seen.time - since, self.client.host, seen.kind, seen.text)
            for seen in initiator.parse(journal.parse(self.client.journal))
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        story = self.takeover
        survivor = self.survivor.host
        notes = list(story.failures)
        if story.declared_dead is None:
            notes.append(f"{survivor}'s journal doesn't tell when it declared {self.struck} dead")
        elif not story.steps:
            notes.append(f"{survivor}'s journal doesn't tell which resources it started")
        elif not story.end_is_logged:
            notes.append(
                f"{survivor}'s journal doesn't tell when {story.steps[-1].name} had started: "
                "its time is in the client's recovery"
            )
        return tuple(notes)
