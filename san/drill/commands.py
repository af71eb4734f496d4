"""`san drill`: faults for a running cluster in the lab."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from san.decide import budget
from san.lab.lab import Lab
from san.lab.lifecycle import DEPLOYED
from san.lab.progress import Report as Progress
from san.model import Cluster

from . import campaign, matrix, upgrade
from .fault import Fault
from .faults import machines
from .matrix import CORE, FAULTS
from .options import (
    INVENTORY,
    before_option,
    cluster_of,
    cluster_option,
    depth_option,
    errors_told,
    json_option,
    out_of_drills,
    out_option,
    played_on,
)
from .results import Matrix


@click.group()
def drill() -> None:
    """Break something under a writing client, and see what it noticed."""


@drill.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(*, as_json: bool) -> None:
    """Name every fault of the matrix, and what must come of it."""
    if as_json:
        told = [
            {
                "name": fault.name,
                "title": fault.title,
                "steps": [{"at": step.at, "what": step.act.text} for step in fault.steps],
                "gap_limit_seconds": fault.expected.gap,
                "serves": fault.expected.serves,
                "person": fault.expected.person,
                "core": fault.name in CORE,
            }
            for fault in FAULTS.values()
        ]
        click.echo(json.dumps(told, indent=2))
        return
    table = Table()
    table.add_column("fault", no_wrap=True)
    table.add_column("what it is, and how long the client may wait", overflow="fold")
    table.add_column("serves then", overflow="fold")
    for fault in FAULTS.values():
        wanted = fault.expected
        table.add_row(fault.name, f"{fault.title}: {wanted.gap:.0f} s", wanted.serves)
    Console().print(table)


@drill.command("all")
@json_option
@click.option("--markdown", is_flag=True, help="Print the table as a documentation page has it.")
@cluster_option
@depth_option("1", "16", "both")
@click.option("--only", metavar="GLOB", default="*", help="The faults whose names match.")
@click.option(
    "--stonith",
    metavar="INVENTORY",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Deploy this inventory, which has STONITH, and play on that cluster what differs there.",
)
@click.option("--anew", is_flag=True, help="Play again what has passed on this cluster, too.")
@click.option(
    "--limit",
    metavar="MINUTES",
    type=click.FloatRange(min=0),
    default=float("inf"),
    help="Begin no drill after so long.",
)
@before_option
@out_of_drills
def all_command(
    *,
    as_json: bool,
    markdown: bool,
    cluster: str | None,
    depth: str,
    only: str,
    stonith: Path | None,
    anew: bool,
    limit: float,
    seconds_before: float,
    out: Path,
) -> None:
    """Play what has not passed yet of the matrix, each fault from the snapshot `deployed`.

    Goes on where an earlier call ended, and after a fault that the cluster didn't stand; exits with
    1 when there was one. The table has what all calls have played on this cluster, the page other
    clusters' drills, too.
    """
    depths = (1, 16) if depth == "both" else (int(depth),)
    deadline = time.monotonic() + 60 * limit
    play = partial(
        campaign.run,
        depths=depths,
        anew=anew,
        seconds_before=seconds_before,
        deadline=deadline,
        out=out,
    )
    with errors_told():
        faults = matrix.chosen(only)
    told = _reported(
        faults, depths, fenced=stonith is not None, as_json=as_json, markdown=markdown, out=out
    )
    with errors_told(), told:
        chosen = cluster_of(INVENTORY, cluster)
        plain = [fault for fault in faults if not fault.stonith]
        played_on(chosen, partial(play, faults=plain, predicted=_predicted(chosen)))
        differ = [fault for fault in faults if fault.stonith or fault.fenced is not None]
        if stonith is not None and differ and time.monotonic() < deadline:
            chosen = cluster_of(stonith, cluster)
            campaign.deploy(Lab.open(), stonith, progress=Progress())
            again = partial(play, faults=differ, snapshot=campaign.FENCED, fenced=True)
            played_on(chosen, partial(again, predicted=_predicted(chosen)))


def _play_command(fault: Fault) -> click.Command:
    """The command of one fault; `san drill list` names them, so help doesn't."""

    @click.command(fault.name, help=f"{fault.title}; see `san drill list`.", hidden=True)
    @json_option
    @cluster_option
    @depth_option("16", "1")
    @before_option
    @out_of_drills
    def command(
        *, as_json: bool, cluster: str | None, depth: str, seconds_before: float, out: Path
    ) -> None:
        _play(fault, cluster, int(depth), as_json=as_json, seconds_before=seconds_before, out=out)

    return command


def _play(
    fault: Fault, name: str | None, depth: int, *, as_json: bool, seconds_before: float, out: Path
) -> None:
    """Play one fault, whether it has passed before or not."""
    chosen = cluster_of(INVENTORY, name)
    play = partial(
        campaign.run,
        faults=(fault,),
        snapshot=campaign.FENCED if fault.stonith else DEPLOYED,
        fenced=fault.stonith,
        depths=(depth,),
        anew=True,
        predicted=_predicted(chosen),
        seconds_before=seconds_before,
        out=out,
    )
    told = _reported(
        (fault,), (depth,), fenced=fault.stonith, as_json=as_json, markdown=False, out=out
    )
    with errors_told(), told:
        played_on(chosen, play)


for _each in FAULTS.values():
    drill.add_command(_play_command(_each))


@drill.command("full-load")
@click.option(
    "--minutes", type=click.FloatRange(min=3), default=30, show_default=True, help="For how long."
)
@json_option
@cluster_option
@depth_option("1", "16")
@before_option
@out_of_drills
def full_load_command(
    *,
    minutes: float,
    as_json: bool,
    cluster: str | None,
    depth: str,
    seconds_before: float,
    out: Path,
) -> None:
    """Load both nodes fully for long: nothing may move, and no node may be taken for dead."""
    fault = machines.full_load(minutes)
    _play(fault, cluster, int(depth), as_json=as_json, seconds_before=seconds_before, out=out)


def _predicted(cluster: Cluster) -> dict[str, float]:
    """What `san budget` expects of each fault that it knows, in seconds."""
    return {each.fault: each.expected for each in budget.predictions(cluster)}


@contextmanager
def _reported(
    faults: Sequence[Fault],
    depths: Sequence[int],
    *,
    fenced: bool,
    as_json: bool,
    markdown: bool,
    out: Path,
) -> Iterator[None]:
    """Show what is known of `faults` here once they are played, or Ctrl-C has ended it.

    Only `fenced` asks for drills with STONITH, too.
    """
    cut_short = False
    try:
        yield
    except KeyboardInterrupt:
        cut_short = True
    found = campaign.matrix(out)
    campaign.save(found, out)
    here = campaign.origins(Lab.open(), fenced=fenced)
    found = found.of({fault.name for fault in faults}, depths, here)
    _show(found, as_json=as_json, markdown=markdown, out=out)
    if cut_short:
        raise click.ClickException("interrupted; `san drill all` goes on from here")
    if found.failed:
        names = ", ".join(dict.fromkeys(drilled.fault for drilled in found.failed))
        raise click.ClickException(f"not as it must be: {names}; the logs are in {out}")


def _show(played: Matrix, *, as_json: bool, markdown: bool, out: Path) -> None:
    """Print a matrix."""
    if as_json:
        click.echo(json.dumps(played.to_json(), indent=2))
        return
    if markdown:
        click.echo(played.markdown(), nl=False)
        return
    console = Console()
    console.print(played.table())
    for drilled in played.drills:
        name = f"{drilled.fault}, depth {drilled.depth}"
        for problem in drilled.problems:
            console.print(f"{name}: {problem}", style="red", markup=False)
        for note in drilled.outcome.notes if drilled.outcome else ():
            console.print(f"{name}: {note}", style="dim", markup=False)
        if drilled.off_budget:
            console.print(f"{name}: {drilled.off_budget}", style="yellow", markup=False)
    console.print(f"the page: {out}/matrix.html; the figures: {out}/matrix.json")


@drill.command("upgrade-kernel")
@json_option
@cluster_option
@out_option(Path("build"))
@click.option("--to", metavar="RELEASE", help="The kernel, as `uname -r` prints it there.")
@click.argument("inventory", type=click.Path(path_type=Path), default="inventory.py")
def upgrade_command(
    *, as_json: bool, cluster: str | None, out: Path, to: str | None, inventory: Path
) -> None:
    """Upgrade both nodes' kernels while the client writes, as `san upgrade-kernel` does.

    Exits with 1 when an acknowledged write is lost, or the upgrade fails.
    """
    chosen = cluster_of(inventory, cluster)
    found = played_on(chosen, partial(upgrade.run, inventory=inventory, to=to, out=out))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        Console().print(found.table())
    if found.lost:
        raise click.ClickException(
            f"{found.lost} of {found.acked} acknowledged writes are lost; the log is in {out}"
        )
