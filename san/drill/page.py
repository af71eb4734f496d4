"""The matrix as one HTML page that needs nothing else: the table, and a timeline for each fault."""

from itertools import count

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from .outcome import Outcome
from .picture import Scale
from .report import BUCKET
from .results import COLUMNS, Matrix, row
from .roles import PRIMARY, SUSPENDED
from .stage import FROZEN, OFF
from .timeline import Span

TOP, BOTTOM = 40.0, 130.0  # of the curve; pixels, as are all below
LANE = 30
SHOWN_BEFORE = 10.0  # seconds
COLOURS = {PRIMARY: "#3d9a5b", SUSPENDED: "#d9822b", OFF: "#323f4b", FROZEN: "#7fb0e0"}


@attrs.frozen
class Box:
    """A span of a node's lane."""

    x: float
    width: float
    colour: str
    text: str


@attrs.frozen
class Lane:
    """A node: what it was when."""

    name: str
    y: float
    boxes: tuple[Box, ...]


@attrs.frozen
class Drawing:
    """One drill's timeline, ready to be drawn."""

    outcome: Outcome
    scale: Scale
    curve: str
    highest: float
    waits: tuple[Box, ...]
    lanes: tuple[Lane, ...]
    steps: tuple[tuple[int, float, float, str], ...]
    """Number, place, second and words."""
    height: float


def _box(span: Span, scale: Scale, colour: str) -> Box:
    start, end = max(span.start, scale.first), min(span.end, scale.last)
    text = f"{span.name}: {span.start:.1f} to {span.end:.1f} s"
    return Box(scale.x(start), round(max(scale.x(end) - scale.x(start), 1), 2), colour, text)


def _curve(outcome: Outcome, scale: Scale) -> tuple[str, float]:
    """Acknowledgements a second as a stepped area; also the highest rate."""
    shown = [(start, rate) for start, rate in outcome.rate if scale.first <= start < scale.last]
    highest = max((rate for _, rate in shown), default=0.0) or 1.0
    points: list[tuple[float, float]] = []
    for start, rate in shown:
        y = round(BOTTOM - (BOTTOM - TOP) * rate / highest, 1)
        points += [(scale.x(start), y), (scale.x(min(start + BUCKET, scale.last)), y)]
    if points:
        points = [(points[0][0], BOTTOM), *points, (points[-1][0], BOTTOM)]
    return " ".join(f"{x},{y}" for x, y in points), highest


def drawing(outcome: Outcome) -> Drawing:
    """Lay one drill out."""
    seconds = [
        *(start + BUCKET for start, _ in outcome.rate),
        *(at for at, _ in outcome.steps),
        *(wait.end for wait in outcome.waits),
    ]
    scale = Scale(-SHOWN_BEFORE, max([*seconds, SHOWN_BEFORE]))
    curve, highest = _curve(outcome, scale)
    lanes = []
    for number, node in enumerate((outcome.serving, outcome.standby)):
        spans = (*outcome.reigns.get(node, ()), *outcome.outages.get(node, ()))
        shown = [span for span in spans if span.end > scale.first and span.start < scale.last]
        boxes = tuple(_box(span, scale, COLOURS[span.name]) for span in shown)
        lanes.append(Lane(node, BOTTOM + 40 + LANE * number, boxes))
    numbers = count(1)
    return Drawing(
        outcome=outcome,
        scale=scale,
        curve=curve,
        highest=highest,
        waits=tuple(_box(wait, scale, "#fdf1f0") for wait in outcome.waits if wait.seconds > 1),
        lanes=tuple(lanes),
        steps=tuple((next(numbers), scale.x(at), at, what) for at, what in outcome.steps),
        height=BOTTOM + 40 + LANE * len(lanes) + 10,
    )


def draw(matrix: Matrix) -> str:
    """Draw the page of a matrix."""
    environment = Environment(
        loader=PackageLoader("san.drill"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("matrix.html.j2").render(
        headline=matrix.headline,
        columns=COLUMNS,
        rows=[(row(drill), drill) for drill in matrix.drills],
        drawings=[(drawing(drill.outcome), drill) for drill in matrix.drills if drill.outcome],
        colours=COLOURS,
        top=TOP,
        bottom=BOTTOM,
        lane=LANE,
    )
