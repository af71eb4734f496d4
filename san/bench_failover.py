"""`san bench failover`: a power cut and a planned move, of ours and of others, in one lab."""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import click
from rich.console import Console
from rich.table import Table

from san import rivals
from san.check import init
from san.contest import AIMS, BY_HAND, FIGURES, NAMES, OURS, PACEMAKER, Contestant, Round, ratio
from san.demo import BUILD, INVENTORY, started, up_to_date
from san.drill import failover
from san.drill.errors import DrillError
from san.drill.failover import Manager
from san.lab import hardware, power
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.lifecycle import DEPLOYED
from san.lab.progress import Report as Progress
from san.lab.sources import default_suite

ROUNDS = 5
RESULTS = BUILD / "bench-failover.json"
LOGS = BUILD / "bench-failover"

PRODUCT = ("templates", "operations", "facts", "san/model", "san/render", "san/decide",
           "san/observe", "deploy.py", "inventory.py")  # fmt: skip
"""What `deployed` is made of."""


@attrs.frozen
class Way:
    """How a contestant comes to be, and what is measured of it."""

    snapshot: str
    """The lab's snapshot that each round begins from."""
    made_of: str
    """The same by what it is made of: rounds of another one don't count."""
    manager: Manager
    set_up: Callable[[Lab, Progress], object]


@click.command("failover")
@click.option("--rounds", type=click.IntRange(min=1), default=ROUNDS, show_default=True,
              help="Rounds of each; a round is a power cut and a planned move.")  # fmt: skip
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Measure these alone.")
@click.option("--anew", is_flag=True, help="Forget the rounds that were measured before.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def command(
    context: click.Context, *, rounds: int, only: tuple[str, ...], anew: bool, as_json: bool
) -> None:
    """Measure a power cut and a planned move: ours, the guide's by hand, Pacemaker's.

    Goes on with the rounds that are missing, as long as nothing that is measured has changed.
    """
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    names = only or NAMES
    try:
        lab, _ = started(default_suite(), progress)
        machine = ran_on(lab)
        now = {name: Contestant(_way(name).made_of, machine) for name in NAMES}
        # Nobody is compared with what was measured on another machine, or of another version.
        table = {name: each for name, each in _kept().items() if each.same(now[name])}
        ways = {name: _way(name) for name in names}
        for name in ways:
            table[name] = now[name] if anew else table.get(name, now[name])
        for name, way in ways.items():
            if len(table[name].rounds) < rounds:
                way.set_up(lab, progress)
        failed = _play(lab, ways, table, rounds, progress)
    except (LabError, DrillError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(RESULTS.read_text(encoding="utf-8"), nl=False)
    else:
        show(table)
    if lost := table[OURS].total("lost") if OURS in table else 0:
        raise click.ClickException(f"ours lost {lost} acknowledged writes: it must be 0")
    if failed:
        raise click.ClickException(
            f"{failed} rounds could not be played to their end; the logs are in {LOGS}, and the "
            "same command plays them again"
        )


def _play(
    lab: Lab, ways: Mapping[str, Way], table: dict[str, Contestant], rounds: int, progress: Progress
) -> int:
    """Play what is missing, contestants in turn; return how many rounds failed.

    In turn, so that what changes on this machine meanwhile changes for all.
    """
    failed = 0
    for number in range(1, rounds + 1):
        for name, way in ways.items():
            if len(table[name].rounds) >= number:
                continue
            progress.say(f"round {number} of {rounds}: {name}")
            attempt = len(table[name].rounds) + len(table[name].failed) + 1
            try:
                seen = _round(lab, way, LOGS / name / str(attempt), progress)
                table[name] = attrs.evolve(table[name], rounds=(*table[name].rounds, seen))
            except (DrillError, LabError) as error:
                failed += 1
                progress.say(f"  {error}")
                told = (*table[name].failed, str(error))
                table[name] = attrs.evolve(table[name], failed=told)
            _keep(table)
    return failed


def _round(lab: Lab, way: Way, out: Path, progress: Progress) -> Round:
    """A power cut and a planned move, each from the snapshot."""
    load = os.getloadavg()[0]
    where = (lab, way.manager, rivals.NODES, rivals.CLIENT)
    with progress.step(f"the lab's machines back to {way.snapshot}"):
        lab.restore(way.snapshot)
    cut = failover.power_cut(*where, out=out / "power-cut", progress=progress)
    with progress.step(f"the lab's machines back to {way.snapshot}"):
        lab.restore(way.snapshot)
    move = failover.move(*where, out=out / "move", progress=progress)
    figures = {**attrs.asdict(cut, recurse=False), **attrs.asdict(move, recurse=False)}
    counts = {
        name: count + attrs.asdict(move.writes)[name]
        for name, count in attrs.asdict(cut.writes).items()
    }
    return {**{name: round(figures[name], 3) for name in FIGURES}, **counts, "load": round(load, 1)}


def _way(name: str) -> Way:
    if name == OURS:
        made_of = f"{DEPLOYED}-{digest(map(Path, PRODUCT))}"
        return Way(DEPLOYED, made_of, failover.HEARTBEAT, lambda _, progress: up_to_date(progress))
    rival, manager = {
        BY_HAND: (rivals.BY_HAND, failover.HEARTBEAT),
        PACEMAKER: (rivals.PACEMAKER, failover.PACEMAKER),
    }[name]
    return Way(
        rival.snapshot, rival.snapshot, manager,
        lambda lab, progress: rivals.set_up(lab, rival, progress),
    )  # fmt: skip


def digest(paths: Iterable[Path]) -> str:
    """Eight hex digits over files, and all files below directories."""
    known = hashlib.sha256()
    for path in paths:
        for each in sorted(path.rglob("*")) if path.is_dir() else (path,):
            if each.is_file() and each.suffix != ".pyc":
                known.update(f"{each} {each.stat().st_mode:o}\n".encode() + each.read_bytes())
    return known.hexdigest()[:8]


def ran_on(lab: Lab) -> Mapping[str, Any]:
    """The machine and the lab on it."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(": ")[2] for line in cpuinfo if line.startswith("model name")), "")
    return {
        "suite": lab.suite,
        "accel": lab.accel,
        "hardware": lab.state.hardware,
        "qemu": hardware.build(power.qemu_binary()).splitlines()[0],
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
    }


def _kept() -> dict[str, Contestant]:
    """What was measured before; nothing where there is none, or it can't be read."""
    try:
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
        return {name: Contestant.parse(known[name]) for name in NAMES if name in known}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _keep(table: Mapping[str, Contestant]) -> None:
    BUILD.mkdir(exist_ok=True)
    told = {name: table[name].to_json() for name in NAMES if name in table}
    text = json.dumps(told, indent=2) + "\n"
    staged = RESULTS.with_suffix(".new")
    staged.write_text(text, encoding="utf-8")
    staged.rename(RESULTS)


def show(table: Mapping[str, Contestant]) -> None:
    """Print medians, ours as a part of each other's, and the aims."""
    medians = {name: each.medians for name, each in table.items()}
    ours = medians.get(OURS, {})
    shown = Table(title="medians, in seconds (ours as a part of it)", title_justify="left")
    shown.add_column("", no_wrap=True)
    for heading in ("rounds", *FIGURES, "lost"):
        shown.add_column(heading.removesuffix("_seconds").replace("_", " "), justify="right")
    for name, each in sorted(table.items(), key=lambda item: NAMES.index(item[0])):
        cells = [_cell(each.medians.get(f), ours.get(f), own=name == OURS) for f in FIGURES]
        shown.add_row(name, str(len(each.rounds)), *cells, f"{each.total('lost'):,}")
    console = Console()
    console.print(shown)
    for aim in AIMS:
        value = aim.value(medians)
        what = f"ours' {aim.figure.replace('_', ' ')}" + (f" / {aim.of}'s" if aim.of else "")
        found = "not measured" if value is None else f"{value:.2f}"
        verdict = "" if value is None else ", met" if value <= aim.most else ", missed"
        console.print(f"{what}: {found} (aim: at most {aim.most:g}){verdict}", highlight=False)
    console.print(f"the figures: {RESULTS}; the logs: {LOGS}", highlight=False)


def _cell(value: float | None, ours: float | None, *, own: bool) -> str:
    part = None if own else ratio(ours, value)
    return "" if value is None else f"{value:.1f}" + ("" if part is None else f" ({part:.2f})")
