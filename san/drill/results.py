"""What drills came to: each one, and the matrix of all, for people and for programs."""

from collections.abc import Collection, Mapping

import attrs
from rich.box import SIMPLE_HEAD
from rich.table import Table

from san.decide.budget import TOLERANCE, Comparison

from .outcome import Outcome

UNKNOWN = "?"
HELD = ("power-cut",)
"""The faults whose prediction is held against: where it is off, the budget is to be corrected."""


@attrs.frozen
class Drill:
    """One drill of a campaign: its outcome, or why it could not be played."""

    fault: str
    title: str
    depth: int
    fenced: bool
    """Whether the cluster had STONITH."""
    origin: str
    """What the cluster was deployed from (san.drill.origin); empty where that isn't known."""
    played: str
    """When it began, in ISO 8601, UTC."""
    seconds: float
    """How long it took, with the restore of the snapshot before it."""
    outcome: Outcome | None
    error: str = ""
    predicted: float | None = None
    """Seconds that `san budget` expects the client to wait; None where it says nothing."""

    @property
    def key(self) -> tuple[str, int, bool]:
        """What there is one result of."""
        return self.fault, self.depth, self.fenced

    @property
    def passed(self) -> bool:
        """Whether all was as it must be."""
        return self.outcome is not None and not self.outcome.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it has failed."""
        return self.outcome.problems if self.outcome else (self.error,)

    @property
    def budget(self) -> Comparison | None:
        """The gap beside its prediction."""
        if self.outcome is None or self.predicted is None:
            return None
        return Comparison(self.predicted, self.outcome.gap)

    @property
    def off_budget(self) -> str:
        """What is wrong with the prediction, which is no fault of the cluster's; else empty."""
        found = self.budget
        if self.fault not in HELD or found is None or found.confirmed:
            return ""
        low, high = 1 - TOLERANCE, 1 + TOLERANCE
        return f"the budget is off: {found}, outside {low:g} to {high:g}"

    def to_json(self) -> dict[str, object]:
        """The drill for a program."""
        told = {"drill": self.fault, "title": self.title, "depth": self.depth}
        found = self.budget
        return {
            **told,
            "stonith": self.fenced,
            "played": self.played,
            "origin": self.origin,
            "predicted_gap_seconds": self.predicted,
            "measured_by_predicted": round(found.ratio, 2) if found else None,
            "off_budget": self.off_budget,
            **({"passed": False, "problems": [self.error]} if self.outcome is None else {}),
            **(self.outcome.to_json() if self.outcome is not None else {}),
        }


@attrs.frozen
class Matrix:
    """Drills, at most one of each fault, depth and STONITH setting."""

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
    def corrupted(self) -> int:
        """Those of the lost ones that hold something that was never acknowledged there."""
        return sum(outcome.corrupted or 0 for outcome in self.outcomes)

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
            f"{self.lost:,} of {self.acked:,} acknowledged writes lost, "
            f"{self.corrupted:,} corrupted"
        )

    def of(
        self, faults: Collection[str], depths: Collection[int], origins: Mapping[bool, str]
    ) -> "Matrix":
        """Those of some faults at some depths on the clusters of `origins`, by `fenced`."""
        return Matrix(
            tuple(
                one
                for one in self.drills
                if one.fault in faults
                and one.depth in depths
                and origins.get(one.fenced) == one.origin
            )
        )

    def to_json(self) -> dict[str, object]:
        """The matrix for a program."""
        totals = {
            "drills": len(self.drills),
            "failed": len(self.failed),
            "acked": self.acked,
            "lost": self.lost,
            "corrupted": self.corrupted,
            "off_budget": sum(bool(drill.off_budget) for drill in self.drills),
        }
        return {"totals": totals, "drills": [drill.to_json() for drill in self.drills]}

    def table(self) -> Table:
        """The matrix for the terminal, without what is too wide for it: the page has that."""
        table = Table(title=self.headline, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for name in BRIEF:
            table.add_column(
                name,
                justify="right" if name in FIGURES else "left",
                no_wrap=name == "fault",
                overflow="fold",
            )
        for drill in self.drills:
            cells = dict(zip(COLUMNS, row(drill), strict=True))
            table.add_row(*map(cells.__getitem__, BRIEF), style="" if drill.passed else "red")
        return table

    def markdown(self) -> str:
        """The matrix as a table of a documentation page."""
        lines = [COLUMNS, ("---",) * len(COLUMNS), *(row(drill) for drill in self.drills)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


FIGURES = (
    "depth",
    "gap (limit), s",
    "predicted, s",
    "of predicted",
    "acknowledged",
    "lost",
    "corrupted",
    "writers at once",
)
COLUMNS = (
    "fault",
    *FIGURES,
    "state after",
    "what a person has to do",
    "played",
    "cluster",
)
BRIEF = ("fault", "depth", "gap (limit), s", "of predicted", "lost", "state after", "played")
"""The columns that a terminal has room for."""


def row(drill: Drill) -> tuple[str, ...]:
    """One drill in COLUMNS."""
    seen, budget = drill.outcome, drill.budget
    who = f"{drill.fault}, STONITH" if drill.fenced else drill.fault
    ratio = f"{budget.ratio:.2f}" if budget else ""
    figures: tuple[str, ...] = (UNKNOWN,) * (len(FIGURES) - 1)
    if seen is not None:
        figures = (
            f"{seen.gap:.1f} ({seen.expected.gap:.0f})",
            "" if drill.predicted is None else f"{drill.predicted:.1f}",
            f"{ratio}, off" if drill.off_budget else ratio,
            f"{seen.acked:,}",
            *(UNKNOWN if count is None else f"{count:,}" for count in (seen.lost, seen.corrupted)),
            str(seen.writers),
        )
    return (
        who,
        str(drill.depth),
        *figures,
        seen.state if seen else drill.error,
        (seen.person or "nothing") if seen else "",
        drill.played[:16].replace("T", " "),
        drill.origin or UNKNOWN,
    )
