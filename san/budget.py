"""`san budget`: what the inventory's times add up to when something breaks."""

import json
import sys
from pathlib import Path

import attrs
import click
from rich.console import Console
from rich.table import Table

from san.decide.budget import Prediction, predictions, warnings
from san.decide.gap import LAB, Pace, Part
from san.inventory import load
from san.model import Cluster, Heartbeat, InventoryError, Timing
from san.model.conflict import Conflict, conflicts
from san.model.declare import problems_of

PHASES = ("detection", "fencing", "takeover", "client_recovery")


@click.command()
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
@click.option("--json", "as_json", is_flag=True, help="Print the budget as JSON.")
@click.option("--cluster", "name", metavar="NAME", help="Only this cluster.")
@click.option(
    "--takeover",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=LAB.takeover,
    show_default=True,
    help="A takeover on your machines, as a drill measures it; the default is the emulated lab's.",
)
@click.option(
    "--fencing",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=LAB.fencing,
    show_default=True,
    help="What your STONITH device takes, which a takeover waits for.",
)
def budget(
    inventory: Path, *, as_json: bool, name: str | None, takeover: float, fencing: float
) -> None:
    """How long clients wait at each fault. Exits 1 where times conflict."""
    pace = attrs.evolve(LAB, takeover=takeover, fencing=fencing)
    try:
        clusters = load(inventory).clusters
    except InventoryError as error:
        _refuse(error, as_json=as_json)
    known = ", ".join(cluster.name for cluster in clusters)
    chosen = [cluster for cluster in clusters if name in (None, cluster.name)]
    if not chosen:
        raise click.UsageError(f"{inventory} has no cluster {name!r}; it has {known}")
    if as_json:
        answer = {
            "ok": True,
            "problems": [],
            "clusters": [_plain(cluster, pace) for cluster in chosen],
        }
        click.echo(json.dumps(answer, indent=2))
        return
    console = Console(highlight=False)
    for cluster in chosen:
        console.print(_table(cluster, pace))
        for warning in warnings(cluster, pace):
            console.print(f"warning: {warning}", markup=False, soft_wrap=True)


def _refuse(error: InventoryError, *, as_json: bool) -> None:
    """Say what is wrong, and end: times that conflict add up to nothing."""
    if as_json:
        clusters = error.site.clusters if error.site else ()
        answer = {
            "ok": False,
            "problems": [{"path": p.path, "sentence": p.sentence} for p in error.problems],
            "clusters": [
                {"name": one.name, "conflicts": [_conflict(each) for each in conflicts(one)]}
                for one in (clusters if isinstance(clusters, tuple) else ())
                if _comparable(one)
            ],
        }
        click.echo(json.dumps(answer, indent=2))
    else:
        for problem in error.problems:
            click.echo(str(problem), err=True)
    sys.exit(1)


def _comparable(cluster: object) -> bool:
    """Whether its times are times: a site with problems may hold anything."""
    return (
        isinstance(cluster, Cluster)
        and isinstance(cluster.heartbeat, Heartbeat)
        and isinstance(cluster.timing, Timing)
        and not any(problems_of(cluster.heartbeat))
        and not any(problems_of(cluster.timing))
    )


def _conflict(conflict: Conflict) -> dict[str, object]:
    change = conflict.change
    return {
        "rule": conflict.rule,
        "path": conflict.path,
        "sentence": conflict.sentence,
        "change": {"path": change.path, "value": change.value} if change else None,
    }


def _plain(cluster: Cluster, pace: Pace) -> dict[str, object]:
    return {
        "name": cluster.name,
        "pace": attrs.asdict(pace),
        "faults": [one.to_json() for one in predictions(cluster, pace)],
        "warnings": list(warnings(cluster, pace)),
        "conflicts": [],
    }


def _table(cluster: Cluster, pace: Pace) -> Table:
    """Each cell is expected and worst, in seconds."""
    table = Table(
        title=f"{cluster.name}: seconds that clients wait, expected / worst",
        caption=f"with a takeover of {pace.takeover:g} s; a drill measures yours (--takeover)",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("fault")
    for phase in PHASES:
        table.add_column(phase.replace("client_recovery", "client"), justify="right")
    table.add_column("gap", justify="right")
    table.add_column("relies on", style="dim")
    for one in predictions(cluster, pace):
        parts = {part.name: part for part in one.parts}
        cells = (_cell(parts.get(phase)) for phase in PHASES)
        table.add_row(one.fault, *cells, _gap(one), one.relies)
    return table


def _cell(part: Part | None) -> str:
    return f"{part.expected:.1f} / {part.worst:.1f}" if part and part.worst else ""


def _gap(prediction: Prediction) -> str:
    return f"{prediction.expected:.1f} / {prediction.worst:.1f}"
