"""`san drill`: faults for a running cluster in the lab."""

import json
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import click
from rich.console import Console

from san.inventory import load
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.model import Cluster, InventoryError

from . import power_cut, upgrade
from .errors import DrillError

T_co = TypeVar("T_co", covariant=True)


def _cluster(inventory: Path, name: str | None) -> Cluster:
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


def _drilled(cluster: Cluster, drill: _Drill[T_co]) -> T_co:
    """Run a drill on the lab's machines of `cluster`, with its first client; an error is told."""
    first, second = cluster.nodes
    client = cluster.clients[0]
    try:
        return drill(Lab.open(), (first.name, second.name), client.name, progress=Progress())
    except (DrillError, LabError) as error:
        raise click.ClickException(str(error)) from error


@click.group()
def drill() -> None:
    """Break something under a writing client, and see what it noticed."""


_as_json = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
_cluster_name = click.option(
    "--cluster", metavar="NAME", help="The cluster, if the inventory has several."
)
_out = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    show_default=True,
    help="Where the report, the picture and the logs go.",
)


@drill.command("power-cut")
@_as_json
@_cluster_name
@click.option(
    "--seconds-before",
    metavar="N",
    type=click.FloatRange(min=1),
    default=power_cut.SECONDS_BEFORE,
    show_default=True,
    help="Seconds of steady writing before the cut.",
)
@_out
def power_cut_command(
    *, as_json: bool, cluster: str | None, seconds_before: float, out: Path
) -> None:
    """Cut the power of the node that serves, while the client writes.

    Exits with 1 when an acknowledged write is lost or the client doesn't come back. The node stays
    without power; `san lab restore deployed` brings the lab back.
    """
    chosen = _cluster(Path("inventory.py"), cluster)
    report = _drilled(chosen, partial(power_cut.run, out=out, seconds_before=seconds_before))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        console = Console()
        console.print(report.table())
        console.print(f"the picture: {out}/drill-{report.fault}.svg", highlight=False)
    if report.lost:
        raise click.ClickException(
            f"{report.lost} of {report.acked} acknowledged writes are lost; "
            f"the logs are in {out}/drill-{report.fault}"
        )


@drill.command("upgrade-kernel")
@_as_json
@_cluster_name
@_out
@click.option("--to", metavar="RELEASE", help="The kernel, as `uname -r` prints it there.")
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
def upgrade_command(
    *, as_json: bool, cluster: str | None, out: Path, to: str | None, inventory: Path
) -> None:
    """Upgrade both nodes' kernels while the client writes, as `san upgrade-kernel` does.

    Exits with 1 when an acknowledged write is lost, or the upgrade fails.
    """
    chosen = _cluster(inventory, cluster)
    found = _drilled(chosen, partial(upgrade.run, inventory=inventory, to=to, out=out))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        Console().print(found.table())
    if found.lost:
        raise click.ClickException(
            f"{found.lost} of {found.acked} acknowledged writes are lost; the log is in {out}"
        )
