"""`san recover split-brain`: what each side has, and the discard of the side that is named."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from san.inventory import load
from san.model import Cluster, InventoryError

DEPLOY = Path(__file__).resolve().parents[1] / "recover.py"

RELATIONS = {
    "split": "split brain: each side has changes that the other lacks",
    "same": "the same data, not connected",
    "newer": "not connected; {0} has all of {1}'s data, and more",
    "older": "not connected; {1} has all of {0}'s data, and more",
    "unrelated": "unrelated data: no generation in common",
}


@click.group()
def recover() -> None:
    """Guide through what only a person can decide."""


@recover.command("split-brain")
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
@click.option("--cluster", metavar="NAME", help="Which cluster, where there are several.")
@click.option("--victim", metavar="NODE", help="The node whose changes are given up.")
@click.option("--image", metavar="DIRECTORY", help="Where the victim's data is saved, there.")
@click.option("--without-image", metavar="REASON", help="Why the victim's data isn't saved.")
@click.option("--json", "as_json", is_flag=True, help="Print what each side has as JSON.")
def split_brain(
    inventory: Path,
    *,
    cluster: str | None,
    victim: str | None,
    image: str | None,
    without_image: str | None,
    as_json: bool,
) -> None:
    """Show what each side of a split brain has; with --victim, let that node give up its changes.

    Without --victim nothing is changed. With it, the victim's data is saved as an image first, then
    what the other side has is copied over what the victim changed. Run it again after an
    interruption: it goes on where it was.
    """
    chosen = _chosen(inventory, cluster)
    if victim is None:
        found = _look(inventory, chosen)
        if as_json:
            click.echo(json.dumps(found, indent=2))
        else:
            _show(found, chosen)
        return
    if victim not in {node.name for node in chosen.nodes}:
        names = " or ".join(node.name for node in chosen.nodes)
        raise click.UsageError(f"{victim!r} is no node of {chosen.name}; --victim is {names}")
    if image is not None and without_image is not None:
        raise click.UsageError("--image or --without-image, not both")
    done = subprocess.run(
        [*_pyinfra("-y", inventory, chosen), *data(victim, image, without_image)], check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    click.echo(_afterwards(victim, image))


def data(victim: str, image: str | None, without_image: str | None) -> Iterator[str]:
    """pyinfra's arguments that name the victim, and what becomes of its data."""
    named = {"victim": victim, "image": image, "without_image": without_image}
    for name, value in named.items():
        if value is not None:
            # As JSON: pyinfra would read a bare `true` or `1` as something else than text.
            yield from ("--data", f"{name}={json.dumps(value)}")


def _chosen(inventory: Path, name: str | None) -> Cluster:
    try:
        clusters = {each.name: each for each in load(inventory).clusters}
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    if name is None and len(clusters) == 1:
        return next(iter(clusters.values()))
    if name not in clusters:
        found = "it is one of" if name is None else f"{name!r} is none of"
        raise click.UsageError(f"--cluster: {found} {', '.join(sorted(clusters))}")
    return clusters[name]


def _pyinfra(how: str, inventory: Path, cluster: Cluster) -> list[str]:
    program = str(Path(sys.executable).with_name("pyinfra"))
    limits = [word for node in cluster.nodes for word in ("--limit", node.name)]
    return [program, how, *limits, str(inventory), str(DEPLOY)]


def _look(inventory: Path, cluster: Cluster) -> dict[str, Any]:
    """What each side has. A dry run finds it out, which can't change anything."""
    with TemporaryDirectory() as directory:
        report = Path(directory, "report.json")
        command = _pyinfra("--dry", inventory, cluster)
        done = subprocess.run(
            [*command, "--data", f"report={report}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not report.exists():
            click.echo(done.stderr, err=True)
            sys.exit(done.returncode or 1)
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found


# --- What people read -----------------------------------------------------------------------------


def _show(found: Mapping[str, Any], cluster: Cluster) -> None:
    console = Console()
    for resource in found["resources"]:
        console.print(table(resource))
    for line in advice(found, cluster):
        console.print(line, highlight=False, soft_wrap=True)


def table(resource: Mapping[str, Any]) -> Table:
    """One resource: a row for each question, a column for each side."""
    sides = resource["sides"]
    names = [side["node"] for side in sides]
    relation = RELATIONS.get(resource["relation"], "").format(*names)
    connections = "; ".join(f"{side['connection']} on {side['node']}" for side in sides)
    shown = Table(
        "",
        *names,
        title=f"{resource['resource']}: {relation or connections}",
        caption=f"on it: {', '.join(resource['luns']) or 'no LUN'}",
        title_justify="left",
        caption_justify="left",
    )
    for question, answer in (
        ("changed since the parting", lambda side: f"{side['changed_kib']} KiB"),
        ("in", _where),
        ("lost its peer", lambda side: moment(side["parted"])),
        ("first change without it", lambda side: moment(side["changed_from"])),
        ("last change", _last),
        ("role now", lambda side: side["role"]),
        ("became Primary", lambda side: moment(side["primary"])),
        ("clients logged in now", lambda side: "\n".join(side["clients"]) or "none"),
        ("Heartbeat", lambda side: "runs" if side["heartbeat"] else "stopped"),
        ("DRBD", lambda side: f"{side['connection']}, {side['disk']}"),
        ("generation", lambda side: side["generation"] or "-"),
    ):
        shown.add_row(question, *(answer(side) for side in sides))
    return shown


def moment(seconds: float | None) -> str:
    """A time as people read it; a dash where the journal doesn't say."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _last(side: Mapping[str, Any]) -> str:
    if side["role"] == "Primary":
        return "may still change"
    until = moment(side["changed_until"])
    return until if until == "-" else f"before {until}"


def _where(side: Mapping[str, Any]) -> str:
    """In which LUNs a side has changed, a line each."""
    changed = side["changed"]
    if changed["unknown"]:
        return f"not known: {changed['unknown']}"
    lines = [f"{name}: {kib} KiB" for name, kib in changed["luns"].items()]
    if changed["elsewhere"]:
        lines.append(f"no volume: {changed['elsewhere']} KiB")
    if changed["uncounted"]:
        lines.append(f"{', '.join(changed['active']) or 'not known'}: {changed['uncounted']} KiB")
    return "\n".join(lines) or "-"


def advice(found: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    """What a person does next."""
    splits = [each for each in found["resources"] if each["relation"] == "split"]
    if not splits:
        yield "There is no split brain: nothing is to be given up."
        return
    yield (
        "KiB count the blocks of 4 KiB that were written since the parting. Where several LUNs "
        "share a figure, DRBD has the place in memory alone: they are those written lately. Times "
        "are each node's own clock and journal, and '-' is what it doesn't say."
    )
    for number, node in enumerate(cluster.nodes):
        sides = [each["sides"][number] for each in splits]
        lost = sum(side["changed_kib"] for side in sides)
        served = sides[0]["clients"] or any(side["role"] == "Primary" for side in sides)
        yield f"Giving up {node.name}'s changes loses {lost} KiB" + (
            f"; clients may be using {node.name} now." if served else "."
        )
    yield (
        "Where a client's paths led to both, neither side alone is whole: look at both before you "
        "choose. Then, on the node that gives up: systemctl stop heartbeat; and here:"
    )
    yield (
        f"  san recover split-brain --cluster {cluster.name} --victim NODE --image DIRECTORY    "
        "(a directory on NODE for a copy of its data)"
    )


def _afterwards(victim: str, image: str | None) -> str:
    kept = (
        f"Its data as it was is in {image} on {victim}; look through it, or keep it until nobody "
        "misses anything.\n"
        if image
        else ""
    )
    return (
        f"{victim} has the other side's data now. {kept}Next:\n"
        f"  {victim}# systemctl start heartbeat      (it stands by)\n"
        "  $ pyinfra inventory.py deploy.py         (and checks the whole cluster)\n"
        "Find out why the nodes lost each other on every link at once."
    )
