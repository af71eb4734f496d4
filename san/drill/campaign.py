"""Many drills, each from the same snapshot, and the matrix that they make."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs
from rich.table import Table

from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.lifecycle import DEPLOYED
from san.lab.progress import Report as Progress
from san.run import pyinfra

from . import page, power_cut
from .errors import DrillError, DrillRefusedError
from .fault import Fault
from .outcome import Outcome
from .scenario import SECONDS_BEFORE, play

FENCED = "deployed-stonith"
"""The snapshot with a cluster that has STONITH."""
UNKNOWN = "?"


@attrs.frozen
class Drill:
    """One drill of a campaign: its outcome, or why it could not be played."""

    fault: Fault
    depth: int
    outcome: Outcome | None
    error: str = ""
    predicted: float | None = None
    """Seconds that `san budget` expects the client to wait; None where it says nothing."""

    @property
    def passed(self) -> bool:
        """Whether all was as it must be."""
        return self.outcome is not None and not self.outcome.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it has failed."""
        return self.outcome.problems if self.outcome else (self.error,)

    def to_json(self) -> dict[str, object]:
        """The drill for a program."""
        if self.outcome is not None:
            return self.outcome.to_json() | {"predicted_gap_seconds": self.predicted}
        told = {"drill": self.fault.name, "title": self.fault.title, "depth": self.depth}
        return {**told, "passed": False, "problems": [self.error]}


@attrs.frozen
class Matrix:
    """All drills of a campaign, in the order in which they were played."""

    drills: tuple[Drill, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Of those that could be played."""
        return tuple(drill.outcome for drill in self.drills if drill.outcome is not None)

    @property
    def acked(self) -> int:
        """Acknowledged writes of all drills."""
        return sum(outcome.acked for outcome in self.outcomes)

    @property
    def lost(self) -> int:
        """Those of them that are known to be lost."""
        return sum(outcome.lost or 0 for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Drill, ...]:
        """The drills that didn't end as they must."""
        return tuple(drill for drill in self.drills if not drill.passed)

    @property
    def headline(self) -> str:
        """The result in one line."""
        passed = len(self.drills) - len(self.failed)
        return (
            f"{passed} of {len(self.drills)} drills passed; "
            f"{self.lost:,} of {self.acked:,} acknowledged writes lost"
        )

    def to_json(self) -> dict[str, object]:
        """The matrix for a program."""
        totals = {
            "drills": len(self.drills),
            "failed": len(self.failed),
            "acked": self.acked,
            "lost": self.lost,
        }
        return {"totals": totals, "drills": [drill.to_json() for drill in self.drills]}

    def table(self) -> Table:
        """The matrix for the terminal."""
        table = Table(title=self.headline, title_justify="left")
        for name in COLUMNS[:2]:
            table.add_column(name, no_wrap=True)
        for name in COLUMNS[2:8]:
            table.add_column(name, justify="right")
        for name in COLUMNS[8:]:
            table.add_column(name, overflow="fold")
        for drill in self.drills:
            table.add_row(*row(drill), style="" if drill.passed else "red")
        return table

    def markdown(self) -> str:
        """The matrix as a table of a documentation page."""
        lines = [COLUMNS, ("---",) * len(COLUMNS), *(row(drill) for drill in self.drills)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


COLUMNS = (
    "fault",
    "depth",
    "gap (limit), s",
    "predicted, s",
    "acknowledged",
    "lost",
    "corrupted",
    "writers at once",
    "state after",
    "what a person has to do",
)


def row(drill: Drill) -> tuple[str, ...]:
    """One drill in COLUMNS."""
    name, seen = drill.fault.name, drill.outcome
    if seen is None:
        return (name, str(drill.depth), *(UNKNOWN,) * 6, drill.error, "")
    return (
        name,
        str(drill.depth),
        f"{seen.gap:.1f} ({seen.expected.gap:.0f})",
        "" if drill.predicted is None else f"{drill.predicted:.1f}",
        f"{seen.acked:,}",
        *(UNKNOWN if count is None else f"{count:,}" for count in (seen.lost, seen.corrupted)),
        str(seen.writers),
        seen.state,
        seen.person or "nothing",
    )


def run(
    lab: Lab,
    nodes: tuple[str, str],
    client: str,
    *,
    faults: Iterable[Fault],
    depths: Sequence[int],
    snapshot: str = DEPLOYED,
    fenced: bool = False,
    predicted: Mapping[str, float] | None = None,
    seconds_before: float = SECONDS_BEFORE,
    out: Path,
    progress: Progress,
    before: Matrix | None = None,
) -> Matrix:
    """Play each fault at each depth from `snapshot`, and go on after one that fails.

    Writes `matrix.json` and `matrix.html` to `out` after each drill: what was played is kept when
    the rest is not. `before` are drills that belong to the same matrix;
    `predicted` are gaps by `Fault.budget`.
    """
    if snapshot not in lab.snapshots():
        maker = "san drill all --stonith INVENTORY" if snapshot == FENCED else "san demo"
        raise DrillRefusedError(
            f"the lab has no snapshot `{snapshot}` for a drill to begin with: `{maker}` deploys "
            "the cluster and makes it"
        )
    matrix = before or Matrix(())
    for fault in faults:
        for depth in depths:
            told = out / "stonith" if fenced else out
            with progress.step(f"{fault.name}, depth {depth}: restore of {snapshot}"):
                lab.restore(snapshot)
            gap = (predicted or {}).get(fault.budget or fault.name)
            try:
                seen = play(
                    lab, fault, nodes, client, depth=depth, seconds_before=seconds_before,
                    fenced=fenced, out=told / f"depth-{depth}", progress=progress,
                )  # fmt: skip
                drill = Drill(fault, depth, seen, predicted=gap)
            except (DrillError, LabError) as error:
                drill = Drill(fault, depth, None, str(error), predicted=gap)
            for problem in drill.problems:
                progress.say(f"  {fault.name}: {problem}")
            if drill.outcome is not None and drill.outcome.failover is not None:
                power_cut.save(drill.outcome.failover, told / f"depth-{depth}")
            matrix = Matrix((*matrix.drills, drill))
            save(matrix, out)
    return matrix


def deploy(lab: Lab, inventory: Path, *, progress: Progress) -> None:
    """Deploy another inventory over the cluster of `deployed`, and keep that as FENCED."""
    with progress.step(f"deploy of {inventory}"):
        lab.restore(DEPLOYED)
        done = pyinfra(inventory=str(inventory))
    if done.returncode:
        last = "".join(done.log.splitlines(keepends=True)[-5:])
        raise DrillRefusedError(f"the deploy of {inventory} ended with {done.returncode}: {last}")
    lab.snapshot(FENCED)


def save(matrix: Matrix, out: Path) -> None:
    """Write the matrix for programs and for people."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "matrix.json").write_text(json.dumps(matrix.to_json(), indent=2) + "\n")
    rows = [(row(drill), drill.problems) for drill in matrix.drills]
    text = page.draw(matrix.headline, COLUMNS, rows, matrix.outcomes)
    (out / "matrix.html").write_text(text)
