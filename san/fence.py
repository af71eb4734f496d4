"""`san fence test`: the devices that reset a node, asked from its peer and not fired."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from san.inventory import load
from san.model import Cluster, InventoryError

FACT = "facts.stonith.StonithDevices"

_WHY = re.compile(r"error|fail|can't", re.IGNORECASE)


@click.group()
def fence() -> None:
    """The devices that reset a node which is silent (STONITH)."""


@fence.command()
@click.argument("node")
@click.option("--cluster", "name", metavar="NAME", help="Its cluster, where several have one.")
@click.option("--inventory", type=click.Path(path_type=Path), default="inventory.py")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def test(node: str, name: str | None, inventory: Path, *, as_json: bool) -> None:
    """Ask each device that can reset NODE, from its peer, without firing it.

    Exits 1 where one of them fails: the peer could not take over.
    """
    cluster = _cluster(inventory, node, name)
    answers = _ask(inventory, cluster.peer(node).name)
    failed = [answer for answer in answers if not answer["ok"]]
    if as_json:
        click.echo(json.dumps({"ok": not failed, "devices": answers}, indent=2))
    else:
        table = Table("device", "plugin", "answer", title=f"{node}, from {cluster.peer(node).name}")
        for answer in answers:
            said = "ok" if answer["ok"] else f"failed: {answer['said']}"
            table.add_row(str(answer["number"]), answer["plugin"], said)
        Console(markup=False, highlight=False).print(table)
    sys.exit(1 if failed else 0)


def _cluster(inventory: Path, node: str, name: str | None) -> Cluster:
    """The cluster of `node`, which has a device."""
    try:
        site = load(inventory)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    found = [
        cluster
        for cluster in site.clusters
        if name in {None, cluster.name} and node in {each.name for each in cluster.nodes}
    ]
    if not found:
        known = ", ".join(each.name for cluster in site.clusters for each in cluster.nodes)
        where = f"cluster {name!r}" if name else str(inventory)
        raise click.UsageError(f"{where} has no node {node!r}; there is {known}")
    if not found[0].node(node).stonith:
        raise click.UsageError(f"{node} has no STONITH device; see docs/fencing.md")
    return found[0]


def _ask(inventory: Path, peer: str) -> list[dict[str, Any]]:
    """What the devices say on `peer`, by pyinfra."""
    program = str(Path(sys.executable).with_name("pyinfra"))
    done = subprocess.run(
        [program, "--json", "--limit", peer, str(inventory), "fact", FACT],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    answers: list[dict[str, Any]] | None = None
    if done.stdout.strip():
        answers = json.loads(done.stdout).get(FACT, {}).get(peer)
    if answers is None:  # pyinfra says why in the midst of what it does
        said = [line.strip() for line in done.stderr.splitlines() if _WHY.search(line)]
        raise click.ClickException(f"{peer} can't ask them: {said[0] if said else done.stderr}")
    return answers
