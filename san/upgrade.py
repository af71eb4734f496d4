"""`san upgrade-kernel`: a new kernel for running clusters, as a deploy that pyinfra runs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from san.inventory import load
from san.model import Cluster, InventoryError

DEPLOY = Path(__file__).resolve().parents[1] / "upgrade.py"


@click.command("upgrade-kernel")
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
@click.option("--to", metavar="RELEASE", help="The kernel, as `uname -r` prints it there.")
@click.option(
    "--limit", metavar="CLUSTER", multiple=True, help="Only this cluster; may be repeated."
)
@click.option("--at-once", is_flag=True, help="All clusters at the same time.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before it begins.")
@click.option("--dry", is_flag=True, help="Show what would be done, and do nothing.")
def upgrade_kernel(
    inventory: Path,
    *,
    to: str | None,
    limit: tuple[str, ...],
    at_once: bool,
    yes: bool,
    dry: bool,
) -> None:
    """Bring both nodes of each cluster to a new kernel, while the cluster serves.

    First the kernel's headers and every module for it; only then the standby's kernel and reboot,
    a planned move of the service, the other node's kernel and reboot, and the move back. Run it
    again after an interruption: it goes on where it was.

    One cluster after the other, and none after one that fails: a kernel that doesn't do is met
    once.
    """
    clusters = _chosen(inventory, limit)
    turns = [clusters] if at_once else [(cluster,) for cluster in clusters]
    if not (yes or dry):
        names = (" and " if at_once else ", then ").join(each.name for each in clusters)
        click.confirm(
            f"Reboot both nodes of {names}, one at a time, and move the service twice?", abort=True
        )
    failed = 0
    for number, turn in enumerate(turns, start=1):
        done = subprocess.run([*_pyinfra(inventory, turn, dry=dry), *target(to)], check=False)
        failed = failed or done.returncode
        if failed and not dry:
            left = [cluster.name for rest in turns[number:] for cluster in rest]
            if left:
                click.echo(f"Not begun: {', '.join(left)}.", err=True)
            break
    sys.exit(failed)


def _chosen(inventory: Path, names: Sequence[str]) -> tuple[Cluster, ...]:
    """The clusters of the inventory, or those that are named, in the inventory's order."""
    try:
        clusters = load(inventory).clusters
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    known = [cluster.name for cluster in clusters]
    for name in names:
        if name not in known:
            raise click.UsageError(f"--limit: {name!r} is none of {', '.join(known)}")
    return tuple(each for each in clusters if not names or each.name in names)


def _pyinfra(inventory: Path, clusters: Sequence[Cluster], *, dry: bool) -> list[str]:
    program = str(Path(sys.executable).with_name("pyinfra"))
    nodes = [node.name for cluster in clusters for node in cluster.nodes]
    limits = [word for name in nodes for word in ("--limit", name)]
    return [program, "--dry" if dry else "-y", *limits, str(inventory), str(DEPLOY)]


def target(to: str | None) -> tuple[str, ...]:
    """pyinfra's arguments that name the kernel, where one is named."""
    return ("--data", f"to={to}") if to else ()
