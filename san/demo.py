"""`san demo`: from nothing to a failover that loses nothing, in the lab."""

import json
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from san.check import init
from san.drill import power_cut
from san.drill.errors import DrillError
from san.drill.origin import origin
from san.drill.report import Report as Failover
from san.inventory import load
from san.lab import lifecycle
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout, default_directory
from san.lab.lifecycle import BARE, DEPLOYED
from san.lab.progress import Report as Progress
from san.lab.sources import SUITES, default_suite
from san.model import Cluster
from san.run import Run, pyinfra

BUILD = Path("build")
FIGURES = BUILD / "demo.json"
INVENTORY = Path("inventory.py")

Figures = Mapping[str, float]
"""What build/demo.json says of a deploy."""


@click.command()
@click.option("--suite", type=click.Choice(SUITES), help="Debian on the machines.  [bookworm]")
@click.pass_context
def demo(context: click.Context, suite: str | None) -> None:
    """Start the lab, deploy the cluster twice, and cut the serving node's power.

    Leaves the lab up, build/demo.json, and the picture build/drill-power-cut.svg. A second call
    goes on from the cluster that the first one deployed, unless a run finds something to change.
    """
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    cluster = load(INVENTORY).clusters[0]
    try:
        lab, bare = started(suite or default_suite(), progress)
        deploy, redeploy = _kept(lab, progress) or _anew(lab, progress, bare=bare)
        failover = _failover(lab, cluster, progress)
    except (LabError, DrillError) as error:
        raise click.ClickException(str(error)) from error
    _save(lab, deploy, redeploy, failover)
    _show(deploy, redeploy, failover)
    if redeploy.changed or failover.lost:
        raise click.ClickException(
            f"the second deploy changed {redeploy.changed} things and {failover.lost} "
            "acknowledged writes are lost: both must be 0"
        )


def deployed(progress: Progress) -> Lab:
    """The lab with the cluster deployed: its machines brought back to that, or deployed now."""
    lab, bare = started(default_suite(), progress)
    if DEPLOYED in lab.snapshots():
        _back(lab, DEPLOYED, progress)
    else:
        FIGURES.unlink(missing_ok=True)  # of another deploy
        _anew(lab, progress, bare=bare)
    return lab


def up_to_date(progress: Progress) -> None:
    """Make `deployed` what deploy.py makes of the inventory today: a run on it changes nothing."""
    lab = deployed(progress)
    if converge(progress, "deploy again: nothing is left to do").changed:
        FIGURES.unlink(missing_ok=True)
        _anew(lab, progress, bare=False)


def bare_lab(progress: Progress) -> Lab:
    """The lab with its machines as they first booted."""
    lab, fresh = started(default_suite(), progress)
    if not fresh:
        _back(lab, BARE, progress)
    return lab


def converge(progress: Progress, title: str, *, inventory: Path = INVENTORY) -> Run:
    """Run pyinfra on an inventory and deploy.py; each operation is shown as it starts."""
    with progress.step(title):
        run = pyinfra(
            inventory=str(inventory), seen=lambda operation: progress.say(f"  {operation}")
        )
    if run.returncode:
        BUILD.mkdir(exist_ok=True)
        log = BUILD / "pyinfra.log"
        log.write_text(run.log, encoding="utf-8")
        raise click.ClickException(f"pyinfra ended with {run.returncode}; its output is in {log}")
    return run


def started(suite: str, progress: Progress) -> tuple[Lab, bool]:
    """Start the lab unless it is up; also tell whether its machines are bare since then."""
    layout = Layout(default_directory())
    was_up = layout.state.exists()
    return lifecycle.up(layout, lifecycle.Wanted(suite), progress), not was_up


def _back(lab: Lab, name: str, progress: Progress) -> None:
    with progress.step(f"the lab's machines back to {name}"):
        lab.restore(name)


def _kept(lab: Lab, progress: Progress) -> tuple[Figures, Run] | None:
    """An earlier demo's deploy, and a run on it; None where there is none, or it isn't of today."""
    try:
        deploy = json.loads(FIGURES.read_text(encoding="utf-8"))["deploy"]
    except (OSError, ValueError, KeyError):
        return None
    taken = lab.state.snapshots.get(DEPLOYED)
    if taken is None or not taken.origin:
        return None
    _back(lab, DEPLOYED, progress)
    redeploy = converge(progress, "deploy again: nothing is left to do")
    if redeploy.changed:
        progress.say("something has changed since the earlier demo: deploying anew")
        return None
    return deploy, redeploy


def _anew(lab: Lab, progress: Progress, *, bare: bool) -> tuple[Figures, Run]:
    """Two deploys, the first on bare machines; the result is kept as a snapshot."""
    if not bare:
        _back(lab, BARE, progress)
    first = converge(progress, "deploy: two bare nodes and a client")
    redeploy = converge(progress, "deploy again: nothing is left to do")
    lab.snapshot(DEPLOYED, origin=origin(lab, load(INVENTORY).clusters))
    return {"seconds": round(first.seconds, 1), "changed": first.changed}, redeploy


def _failover(lab: Lab, cluster: Cluster, progress: Progress) -> Failover:
    first, second = cluster.nodes
    client = cluster.clients[0].name
    return power_cut.run(lab, (first.name, second.name), client, out=BUILD, progress=progress)


def _save(lab: Lab, deploy: Figures, redeploy: Run, failover: Failover) -> None:
    report = failover.to_json()
    figures = {
        "deploy": deploy,
        "redeploy": redeploy.to_json(),
        "failover": {key: report[key] for key in ("gap_seconds", "acked", "lost", "phases")},
        "accel": lab.accel,
        "suite": lab.suite,
    }
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _show(deploy: Figures, redeploy: Run, failover: Failover) -> None:
    table = Table("run", "seconds", "changes", "remote commands for each host", title="pyinfra")
    table.add_row("deploy", f"{deploy['seconds']:.1f}", str(deploy["changed"]), "")
    commands = ", ".join(f"{host} {n}" for host, n in sorted(redeploy.commands_per_host.items()))
    table.add_row("again", f"{redeploy.seconds:.1f}", str(redeploy.changed), commands)
    console = Console()
    console.print(table)
    console.print(failover.table())
    console.print(
        f"the picture: {BUILD}/drill-power-cut.svg; the figures: {FIGURES}\n"
        "the lab stays up: `.venv/bin/san lab status`, `.venv/bin/san lab down`",
        highlight=False,
    )
