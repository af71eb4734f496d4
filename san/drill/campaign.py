"""Many drills, each from the same snapshot, over as many calls as they take."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from san.inventory import load
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.lifecycle import DEPLOYED
from san.lab.progress import Report as Progress
from san.run import pyinfra

from . import kept, page, power_cut
from .clock import iso
from .errors import DrillError, DrillRefusedError
from .fault import Fault
from .matrix import FAULTS
from .origin import origin
from .results import Drill, Matrix
from .scenario import SECONDS_BEFORE, play

FENCED = "deployed-stonith"
"""The snapshot with a cluster that has STONITH."""

Turn = tuple[Fault, int]
"""A fault and a depth: what is to be played."""


def left(
    wanted: Iterable[Turn], before: Iterable[Drill], origin: str, *, fenced: bool
) -> tuple[Turn, ...]:
    """What has not passed yet on the cluster of `origin`: first what was never played at all.

    Then what was played on another cluster; at last what has failed on this one.
    """
    found = {drill.key: drill for drill in before}

    def already(turn: Turn) -> Drill | None:
        fault, depth = turn
        return found.get((fault.name, depth, fenced))

    def here(drill: Drill) -> bool:
        return bool(origin) and drill.origin == origin

    def rank(turn: Turn) -> int:
        drill = already(turn)
        return 0 if drill is None else 2 if here(drill) else 1

    open_ = [
        turn
        for turn in wanted
        if (drill := already(turn)) is None or not (drill.passed and here(drill))
    ]
    return tuple(sorted(open_, key=rank))


def standing(wanted: int, left: int, before: Iterable[Drill]) -> str:
    """What there is to play, in one line, with the time that it takes by the drills so far."""
    line = f"{left} of {wanted} drills to play"
    seconds = [drill.seconds for drill in before]
    if not left or not seconds:
        return line
    each = median(seconds)
    minutes = round(each * left / 60)
    hours = f"{minutes // 60} h " if minutes >= 60 else ""  # noqa: PLR2004 (an hour's)
    return f"{line}: about {hours}{minutes % 60} min ({each / 60:.1f} min each)"


def run(
    lab: Lab,
    nodes: tuple[str, str],
    client: str,
    *,
    faults: Iterable[Fault],
    depths: Sequence[int],
    anew: bool,
    snapshot: str = DEPLOYED,
    fenced: bool = False,
    predicted: Mapping[str, float] | None = None,
    seconds_before: float = SECONDS_BEFORE,
    deadline: float = float("inf"),
    out: Path,
    progress: Progress,
) -> None:
    """Play what has not passed yet from `snapshot` (or all, `anew`), and go on after a failure.

    No drill is begun after `deadline`, of time.monotonic(). Each is kept in `out` as it ends, and
    `matrix.json` and `matrix.html` are written again. `predicted` are gaps by `Fault.budget`.
    """
    taken = lab.state.snapshots.get(snapshot)
    if taken is None:
        maker = "san drill all --stonith INVENTORY" if snapshot == FENCED else "san demo"
        raise DrillRefusedError(
            f"the lab has no snapshot `{snapshot}` for a drill to begin with: `{maker}` deploys "
            "the cluster and makes it"
        )
    before = kept.read(out)
    wanted = [(fault, depth) for fault in faults for depth in depths]
    turns = wanted if anew else left(wanted, before, taken.origin, fenced=fenced)
    progress.say(standing(len(wanted), len(turns), before))
    save(matrix(out), out)
    for number, (fault, depth) in enumerate(turns, start=1):
        if time.monotonic() > deadline:
            break
        told = kept.directory(out, depth, fenced=fenced)
        started, clock = iso(time.time()), time.monotonic()
        name = f"{number} of {len(turns)}: {fault.name}, depth {depth}"
        with progress.step(f"{name}: restore of {snapshot}"):
            lab.restore(snapshot)
        seen, why = None, ""
        try:
            seen = play(
                lab, fault, nodes, client, depth=depth, seconds_before=seconds_before,
                fenced=fenced, out=told, progress=progress,
            )  # fmt: skip
        except (DrillError, LabError) as error:
            why = str(error)
        drill = Drill(
            fault=fault.name, title=fault.title, depth=depth, fenced=fenced, origin=taken.origin,
            played=started, seconds=time.monotonic() - clock, outcome=seen, error=why,
            predicted=(predicted or {}).get(fault.budget or fault.name),
        )  # fmt: skip
        for problem in drill.problems:
            progress.say(f"  {fault.name}: {problem}")
        if seen is not None and seen.failover is not None:
            power_cut.save(seen.failover, told)
        kept.write(drill, out)
        save(matrix(out), out)


def origins(lab: Lab, *, fenced: bool) -> dict[bool, str]:
    """What drills here have as their origin, by `Drill.fenced`; those with STONITH if `fenced`."""
    kept = lab.state.snapshots
    names = {False: DEPLOYED, True: FENCED} if fenced else {False: DEPLOYED}
    return {stonith: kept[name].origin for stonith, name in names.items() if name in kept}


def matrix(out: Path) -> Matrix:
    """All drills that are kept in `out`, in the order of the matrix, those with STONITH last."""
    order = {name: number for number, name in enumerate(FAULTS)}

    def place(drill: Drill) -> tuple[bool, int, int]:
        return drill.fenced, order.get(drill.fault, len(order)), drill.depth

    return Matrix(tuple(sorted(kept.read(out), key=place)))


def deploy(lab: Lab, inventory: Path, *, progress: Progress) -> None:
    """Deploy another inventory over the cluster of `deployed`, and keep that as FENCED."""
    with progress.step(f"deploy of {inventory}"):
        lab.restore(DEPLOYED)
        done = pyinfra(inventory=str(inventory))
    if done.returncode:
        last = "".join(done.log.splitlines(keepends=True)[-5:])
        raise DrillRefusedError(f"the deploy of {inventory} ended with {done.returncode}: {last}")
    lab.snapshot(FENCED, origin=origin(lab, load(inventory).clusters))


def save(matrix: Matrix, out: Path) -> None:
    """Write the matrix for programs and for people."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "matrix.json").write_text(json.dumps(matrix.to_json(), indent=2) + "\n")
    (out / "matrix.html").write_text(page.draw(matrix))
