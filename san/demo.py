"""`san demo`: from nothing to a failover that loses nothing, in the lab."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from san.check import init
from san.drill import power_cut
from san.drill.errors import DrillError
from san.drill.report import Report as Failover
from san.inventory import load
from san.lab import lifecycle
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout, default_directory
from san.lab.lifecycle import BARE
from san.lab.progress import Report as Progress
from san.lab.sources import SUITES, default_suite
from san.model import Cluster
from san.run import Run, pyinfra

BUILD = Path("build")
INVENTORY = Path("inventory.py")
DEPLOYED = "deployed"
"""The snapshot of the lab's machines with the cluster deployed and serving."""


@click.command()
@click.option("--suite", type=click.Choice(SUITES), help="Debian on the machines.  [bookworm]")
@click.pass_context
def demo(context: click.Context, suite: str | None) -> None:
    """Start the lab, deploy the cluster twice, and cut the serving node's power.

    Leaves the lab up, build/demo.json, and the picture build/drill-power-cut.svg.
    """
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    cluster = load(INVENTORY).clusters[0]
    try:
        lab = _bare(suite or default_suite(), progress)
        deploy = converge(progress, "deploy: two bare nodes and a client")
        redeploy = converge(progress, "deploy again: nothing is left to do")
        lab.snapshot(DEPLOYED)
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


def deployed(progress: Progress) -> None:
    """The lab's machines with the cluster deployed: brought back to it, or deployed now."""
    layout = Layout(default_directory())
    lab = lifecycle.up(layout, lifecycle.Wanted(default_suite()), progress)
    if DEPLOYED in lab.snapshots():
        with progress.step(f"the lab's machines back to {DEPLOYED}"):
            lab.restore(DEPLOYED)
    else:
        converge(progress, "deploy: two nodes and a client")
        lab.snapshot(DEPLOYED)


def converge(progress: Progress, title: str) -> Run:
    """Run pyinfra on inventory.py and deploy.py; each operation is shown as it starts."""
    with progress.step(title):
        run = pyinfra(seen=lambda operation: progress.say(f"  {operation}"))
    if run.returncode:
        BUILD.mkdir(exist_ok=True)
        log = BUILD / "pyinfra.log"
        log.write_text(run.log, encoding="utf-8")
        raise click.ClickException(f"pyinfra ended with {run.returncode}; its output is in {log}")
    return run


def _bare(suite: str, progress: Progress) -> Lab:
    """The lab's machines as they are before a deploy: started, or brought back."""
    layout = Layout(default_directory())
    was_up = layout.state.exists()
    lab = lifecycle.up(layout, lifecycle.Wanted(suite), progress)
    if was_up:
        with progress.step(f"the lab's machines back to {BARE}"):
            lab.restore(BARE)
    return lab


def _failover(lab: Lab, cluster: Cluster, progress: Progress) -> Failover:
    first, second = cluster.nodes
    client = cluster.clients[0].name
    return power_cut.run(lab, (first.name, second.name), client, out=BUILD, progress=progress)


def _save(lab: Lab, deploy: Run, redeploy: Run, failover: Failover) -> None:
    report = failover.to_json()
    figures = {
        "deploy": {"seconds": round(deploy.seconds, 1), "changed": deploy.changed},
        "redeploy": redeploy.to_json(),
        "failover": {key: report[key] for key in ("gap_seconds", "acked", "lost", "phases")},
        "accel": lab.accel,
        "suite": lab.suite,
    }
    (BUILD / "demo.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _show(deploy: Run, redeploy: Run, failover: Failover) -> None:
    table = Table("run", "seconds", "changes", "remote commands for each host", title="pyinfra")
    for name, run in (("deploy", deploy), ("again", redeploy)):
        commands = ", ".join(f"{host} {n}" for host, n in sorted(run.commands_per_host.items()))
        table.add_row(name, f"{run.seconds:.1f}", str(run.changed), commands)
    console = Console()
    console.print(table)
    console.print(failover.table())
    console.print(
        f"the picture: {BUILD}/drill-power-cut.svg; the figures: {BUILD}/demo.json\n"
        "the lab stays up: `.venv/bin/san lab status`, `.venv/bin/san lab down`",
        highlight=False,
    )
