"""`san bench`: what a run costs, measured on the lab as the user's own machine runs it."""

import json
from collections.abc import Mapping
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from san.bench_failover import command as failover
from san.bench_kmod import kmod
from san.check import init
from san.demo import INVENTORY, converge, deployed
from san.lab.errors import LabError
from san.lab.progress import Report as Progress

RUNS = 5
ANSIBLE_SECONDS = 178.0
"""A run of a usual Ansible playbook for the same cluster that changes nothing, in such a lab
(173 to 178 s; another machine, so compare the order of magnitude only)."""


@click.group()
def bench() -> None:
    """Measure."""


bench.add_command(failover)
bench.add_command(kmod)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def redeploy(context: click.Context, *, as_json: bool) -> None:
    """Time a run that changes nothing: whole processes, median of 5, with facts by name."""
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    try:
        deployed(progress)
    except LabError as error:
        raise click.ClickException(str(error)) from error
    converge(progress, "a run to warm up")
    runs = [converge(progress, f"run {number} of {RUNS}") for number in range(1, RUNS + 1)]
    changed = sum(run.changed for run in runs)
    figures = {
        "seconds": sorted(round(run.seconds, 2) for run in runs),
        "median_seconds": round(median(run.seconds for run in runs), 2),
        "changed": changed,
        "commands_per_host": dict(runs[-1].commands_per_host),
        "facts": {
            name: {
                "reads": reads.count,
                "seconds": round(median(run.facts[name].seconds for run in runs), 2),
            }
            for name, reads in runs[-1].facts.items()
        },
    }
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)
    if changed:
        raise click.ClickException(f"{changed} operations changed something in a run at rest")


def _show(figures: Mapping[str, Any]) -> None:
    table = Table(title=f"median of {RUNS}: {figures['median_seconds']} s")
    table.add_column("fact")
    table.add_column("read, all hosts", justify="right")
    table.add_column("seconds, all hosts", justify="right")
    by_cost = sorted(figures["facts"].items(), key=lambda item: -item[1]["seconds"])
    for name, cost in by_cost:
        table.add_row(name, str(cost["reads"]), f"{cost['seconds']:.2f}")
    console = Console()
    console.print(table)
    commands = ", ".join(f"{host} {n}" for host, n in figures["commands_per_host"].items())
    console.print(f"remote commands: {commands}", highlight=False)
    console.print(f"a usual Ansible playbook, measured elsewhere: {ANSIBLE_SECONDS:.0f} s")
