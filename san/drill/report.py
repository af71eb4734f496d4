"""What a drill found, for people and for programs."""

from collections.abc import Mapping

import attrs
from rich.table import Table

from .evidence import Event
from .timeline import BEFORE, DETECTION, RECOVERY, TAKEOVER, UNEXPLAINED, Span, Timeline

BUCKET = 0.5
"""Seconds in which acknowledgements are counted for the picture."""

LABEL = {
    BEFORE: "before the fault",
    RECOVERY: "client's recovery",
}
MEANING = {
    BEFORE: "last acknowledgement to the fault",
    DETECTION: "fault to declared dead",
    TAKEOVER: "declared dead to the last resource started",
    RECOVERY: "last resource started to the first acknowledgement",
    UNEXPLAINED: "the survivor's log doesn't tell",
}


@attrs.frozen
class Report:
    """One drill. Times are seconds after the fault on the client's monotonic clock."""

    fault: str
    """The fault's name, `power-cut`."""
    title: str
    struck: str
    survivor: str
    client: str
    device: str
    accel: str
    suite: str
    started: str
    """When, in ISO 8601, UTC."""
    timeline: Timeline
    acked: int
    errors: int
    verification: Mapping[str, object]
    """What became of the acknowledged blocks, as the writer read them back."""
    clock_uncertainty: float
    """Seconds by which phases measured on two hosts' clocks may be wrong; the gap itself isn't."""
    events: tuple[Event, ...]
    rate: tuple[tuple[float, float], ...]
    """Acknowledgements a second, by the start of each bucket."""
    notes: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        """How many acknowledged blocks can't be read back as they were acknowledged."""
        return int(str(self.verification["lost"]))

    @property
    def gap(self) -> float:
        """Seconds that the client waited for an acknowledgement."""
        return self.timeline.gap.seconds

    @property
    def headline(self) -> str:
        """The result in one line."""
        return (
            f"{self.title} of {self.struck}: the client waited {self.gap:.1f} s "
            f"and lost {self.lost} of {self.acked:,} acknowledged writes"
        )

    def to_json(self) -> dict[str, object]:
        """Turn it into what the JSON file holds; every number of seconds is rounded to 1 ms."""
        return {
            "drill": self.fault,
            "struck": self.struck,
            "survivor": self.survivor,
            "client": self.client,
            "device": self.device,
            "accel": self.accel,
            "suite": self.suite,
            "started": self.started,
            "gap_seconds": round(self.gap, 3),
            "phases": _seconds(self.timeline.phases),
            "resources": _seconds(self.timeline.resources),
            "acked": self.acked,
            "lost": self.lost,
            "errors": self.errors,
            "verification": dict(self.verification),
            "pauses": [
                {"at": round(pause.start, 3), "seconds": round(pause.seconds, 3)}
                for pause in self.timeline.pauses
            ],
            "clock_uncertainty_seconds": round(self.clock_uncertainty, 3),
            "notes": list(self.notes),
            "events": [attrs.asdict(event) | {"at": round(event.at, 3)} for event in self.events],
            "acks_per_second": [list(point) for point in self.rate],
        }

    def table(self) -> Table:
        """Turn it into a table for the terminal."""
        table = Table(title=self.headline, title_justify="left", caption_justify="left")
        table.caption = "\n".join(self.notes) or None
        table.add_column("phase")
        table.add_column("seconds", justify="right")
        table.add_column("what it is", style="dim")
        for phase in self.timeline.phases:
            table.add_row(label(phase), f"{phase.seconds:.1f}", MEANING[phase.name])
            if phase.name == TAKEOVER:
                for resource in self.timeline.resources:
                    table.add_row(f"  {label(resource)}", f"{resource.seconds:.1f}", "")
        table.add_section()
        table.add_row("gap", f"{self.gap:.1f}", f"{self.client} without an acknowledgement")
        for pause in self.timeline.pauses:
            what = f"another pause, {pause.start:+.1f} s from the fault"
            table.add_row("pause", f"{pause.seconds:.1f}", what)
        table.add_section()
        table.add_row("acknowledged", f"{self.acked:,}", "writes of 4 KiB, O_DIRECT and O_SYNC")
        table.add_row("lost", f"{self.lost:,}", "acknowledged, and not read back the same")
        table.add_row("errors", f"{self.errors:,}", "writes answered with an error, and retried")
        return table


def label(span: Span) -> str:
    """Name a phase or a resource for people."""
    return LABEL.get(span.name, span.name.replace("::", " "))


def _seconds(spans: tuple[Span, ...]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for span in spans:
        seconds[span.name] = seconds.get(span.name, 0.0) + span.seconds
    return {name: round(value, 3) for name, value in seconds.items()}
