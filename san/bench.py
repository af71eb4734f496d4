"""`san bench`: what a run costs, measured on the lab as the user's own machine runs it."""

import json
from collections import Counter
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from san.check import init
from san.demo import DEPLOYED, INVENTORY, converge
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress

RUNS = 5
ANSIBLE_SECONDS = 178.0
"""A run of a usual Ansible playbook for the same cluster that changes nothing, in such a lab
(173 to 178 s; another machine, so compare the order of magnitude only)."""


@click.group()
def bench() -> None:
    """Measure."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def redeploy(context: click.Context, *, as_json: bool) -> None:
    """Time a run that changes nothing: whole processes, median of 5, with facts by name."""
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    try:
        lab = Lab.open()
        if DEPLOYED not in lab.snapshots():
            raise click.ClickException("the lab has no deployed cluster; run: make demo")
        with progress.step(f"the lab's machines back to {DEPLOYED}"):
            lab.restore(DEPLOYED)
    except LabError as error:
        raise click.ClickException(f"{error}; run: make demo") from error
    converge(progress, "a run to warm up")
    runs = [converge(progress, f"run {number} of {RUNS}") for number in range(1, RUNS + 1)]
    changed = sum(run.changed for run in runs)
    figures = {
        "seconds": sorted(round(run.seconds, 2) for run in runs),
        "median_seconds": round(median(run.seconds for run in runs), 2),
        "changed": changed,
        "commands_per_host": dict(runs[-1].commands_per_host),
        "facts": dict(runs[-1].facts),
    }
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures["median_seconds"], runs[-1].facts, runs[-1].commands_per_host)
    if changed:
        raise click.ClickException(f"{changed} operations changed something in a run at rest")


def _show(seconds: object, facts: object, commands: object) -> None:
    table = Table("fact", "read how often, all hosts", title=f"median of {RUNS}: {seconds} s")
    for name, count in Counter(facts).most_common():  # type: ignore[call-overload]  # a mapping
        table.add_row(name, str(count))
    console = Console()
    console.print(table)
    console.print(f"remote commands for each host: {commands}", highlight=False)
    console.print(f"a usual Ansible playbook, measured elsewhere: {ANSIBLE_SECONDS:.0f} s")
