"""What the drill's commands share: their options, the cluster that those name, and its errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from san.inventory import load
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.model import Cluster, InventoryError

from .errors import DrillError
from .scenario import SECONDS_BEFORE

INVENTORY = Path("inventory.py")
F = TypeVar("F", bound=Callable[..., Any])
T_co = TypeVar("T_co", covariant=True)


def cluster_of(inventory: Path, name: str | None) -> Cluster:
    """Find the cluster to drill: the one named, or the inventory's only one."""
    try:
        site = load(inventory)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    clusters = {cluster.name: cluster for cluster in site.clusters}
    known = ", ".join(clusters)
    if name is None and len(clusters) > 1:
        raise click.UsageError(f"{inventory} has several clusters; name one: --cluster {known}")
    cluster = site.clusters[0] if name is None else clusters.get(name)
    if cluster is None:
        raise click.UsageError(f"{inventory} has no cluster {name!r}; it has {known}")
    if not cluster.clients:
        raise click.UsageError(f"cluster {cluster.name!r} has no client that could write")
    return cluster


class _Drill(Protocol[T_co]):
    def __call__(
        self, lab: Lab, nodes: tuple[str, str], client: str, /, *, progress: Progress
    ) -> T_co: ...


def played_on(cluster: Cluster, drill: _Drill[T_co]) -> T_co:
    """Run a drill on the lab's machines of `cluster`, with its first client; an error is told."""
    first, second = cluster.nodes
    client = cluster.clients[0]
    with errors_told():
        return drill(Lab.open(), (first.name, second.name), client.name, progress=Progress())


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell an error in its one sentence."""
    try:
        yield
    except (DrillError, LabError) as error:
        raise click.ClickException(str(error)) from error


json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
cluster_option = click.option(
    "--cluster", metavar="NAME", help="The cluster, if the inventory has several."
)
before_option = click.option(
    "--seconds-before",
    metavar="N",
    type=click.FloatRange(min=1),
    default=SECONDS_BEFORE,
    show_default=True,
    help="Seconds of steady writing before the fault.",
)


def out_option(default: Path) -> Callable[[F], F]:
    """Where it writes; each command has a default of its own."""
    return click.option(
        "--out",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        default=default,
        show_default=True,
        help="Where the report, the pictures and the logs go.",
    )


def depth_option(*choices: str) -> Callable[[F], F]:
    """How many writes are in flight; the last choice counts unless told."""
    return click.option(
        "--depth",
        type=click.Choice(choices),
        default=choices[-1],
        show_default=True,
        help="Writes in flight at a time.",
    )


out_of_drills = out_option(Path("build/drill"))
