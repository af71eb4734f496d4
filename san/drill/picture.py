"""The timeline as a picture: what the client saw, above what the survivor did meanwhile."""

import math
from collections.abc import Iterator

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from .report import MEANING, Report, label
from .timeline import BEFORE, DETECTION, RECOVERY, TAKEOVER, UNEXPLAINED, Span

WIDTH = 1080  # pixels, as are all below
LEFT, RIGHT = 240, 40
CHART = (96, 260)  # top and bottom of the curve
ROW = 26
ROWS_TOP = 300
SHOWN_BEFORE, SHOWN_AFTER = 10.0, 8.0  # seconds around the gap
TICKS = (1, 2, 5, 10, 20, 30, 60)  # seconds between two marks of the axis
MOST_TICKS = 14

COLOURS = {
    BEFORE: "#8a8f98",
    DETECTION: "#d9822b",
    TAKEOVER: "#2f6fb5",
    RECOVERY: "#3d9a5b",
    UNEXPLAINED: "#8a8f98",
}
RESOURCE = "#7fb0e0"


@attrs.frozen
class Bar:
    """One row: a span with its name and its seconds."""

    name: str
    seconds: float
    meaning: str
    colour: str
    x: float
    width: float
    y: float
    nested: bool


@attrs.frozen
class Scale:
    """Seconds to pixels."""

    first: float
    last: float

    def x(self, seconds: float) -> float:
        """Place a time."""
        share = (seconds - self.first) / (self.last - self.first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)

    def ticks(self) -> list[int]:
        """Choose round seconds to mark."""
        span = self.last - self.first
        step = next((tick for tick in TICKS if span / tick <= MOST_TICKS), TICKS[-1])
        return list(range(math.ceil(self.first / step) * step, math.floor(self.last) + 1, step))


def _bars(report: Report, scale: Scale) -> Iterator[Bar]:
    y = ROWS_TOP
    for phase in report.timeline.phases:
        rows = [(phase, COLOURS[phase.name], False)]
        if phase.name == TAKEOVER:
            rows += [(resource, RESOURCE, True) for resource in report.timeline.resources]
        for span, colour, nested in rows:
            yield _bar(span, colour, scale, y, nested=nested)
            y += ROW


def _bar(span: Span, colour: str, scale: Scale, y: float, *, nested: bool) -> Bar:
    return Bar(
        name=label(span),
        seconds=span.seconds,
        meaning=MEANING.get(span.name, ""),
        colour=colour,
        x=scale.x(span.start),
        width=round(scale.x(span.end) - scale.x(span.start), 2),
        y=y,
        nested=nested,
    )


def _curve(report: Report, scale: Scale, bucket: float) -> tuple[str, float]:
    """Draw acknowledgements a second as a stepped area; also tell the highest rate."""
    top, bottom = CHART
    shown = [
        (start, rate) for start, rate in report.rate if scale.first <= start <= scale.last - bucket
    ]
    highest = max((rate for _, rate in shown), default=0.0) or 1.0
    points: list[tuple[float, float]] = [(scale.x(shown[0][0]), bottom)]
    for start, rate in shown:
        y = round(bottom - (bottom - top) * rate / highest, 2)
        points += [(scale.x(start), y), (scale.x(start + bucket), y)]
    points.append((points[-1][0], bottom))
    return " ".join(f"{x},{y}" for x, y in points), highest


def draw(report: Report, bucket: float) -> str:
    """Draw the report as SVG."""
    gap = report.timeline.gap
    last = report.rate[-1][0] + bucket
    scale = Scale(
        max(report.rate[0][0], gap.start - SHOWN_BEFORE), min(last, gap.end + SHOWN_AFTER)
    )
    bars = list(_bars(report, scale))
    curve, highest = _curve(report, scale, bucket)
    environment = Environment(
        loader=PackageLoader("san.drill"),
        autoescape=select_autoescape(("svg.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("timeline.svg.j2").render(
        report=report,
        gap=gap,
        scale=scale,
        bars=bars,
        curve=curve,
        highest=highest,
        width=WIDTH,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=CHART[0],
        bottom=CHART[1],
        row=ROW,
        end=ROWS_TOP + ROW * len(bars),
    )
