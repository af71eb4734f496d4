"""What `san bench failover` has measured: rounds, their medians, and ours held against others'."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import attrs

OURS, BY_HAND, PACEMAKER = NAMES = ("ours", "by_hand", "pacemaker")

FIGURES = (
    "gap_seconds",
    "detection_seconds",
    "takeover_seconds",
    "client_seconds",
    "exec_events",
    "move_seconds",
)
"""What a round measures once, and a contestant's median is taken of."""
COUNTS = ("acked", "lost", "errors")
"""What a round counts, of both its strikes, and a contestant's sum is taken of."""

Round = Mapping[str, float]
"""One round: FIGURES, COUNTS, and the machine's load when it began."""


@attrs.frozen
class Contestant:
    """A way to set the cluster up, and its rounds so far."""

    snapshot: str
    """What its rounds began from, by what that is made of."""
    ran_on: Mapping[str, Any]
    rounds: tuple[Round, ...] = ()
    failed: tuple[str, ...] = ()
    """Why rounds could not be played to their end."""

    @property
    def medians(self) -> Mapping[str, float]:
        """Of its rounds; empty before the first."""
        if not self.rounds:
            return {}
        return {name: round(median(each[name] for each in self.rounds), 3) for name in FIGURES}

    def total(self, count: str) -> int:
        """The sum of one of COUNTS."""
        return sum(int(each[count]) for each in self.rounds)

    def to_json(self) -> dict[str, object]:
        """Its medians and sums, and the single rounds beside them."""
        return {
            **self.medians,
            **{count: self.total(count) for count in COUNTS},
            "rounds": [dict(each) for each in self.rounds],
            "failed": list(self.failed),
            "snapshot": self.snapshot,
            "ran_on": dict(self.ran_on),
        }

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> "Contestant":
        """Read what `to_json` has written."""
        return cls(
            snapshot=value["snapshot"],
            ran_on=value["ran_on"],
            rounds=tuple(value["rounds"]),
            failed=tuple(value["failed"]),
        )

    def same(self, other: "Contestant") -> bool:
        """Whether both were measured on the same cluster and machine."""
        return (self.snapshot, self.ran_on) == (other.snapshot, other.ran_on)


@attrs.frozen
class Aim:
    """What a figure of ours should be at most: of itself, or of another's."""

    figure: str
    most: float
    of: str = ""
    """Whose figure it is a part of; empty where `most` stands for itself."""

    def value(self, figures: Mapping[str, Mapping[str, float]]) -> float | None:
        """What was measured, by contestant and figure; None where it wasn't."""
        ours = figures.get(OURS, {}).get(self.figure)
        if ours is None or not self.of:
            return ours
        return ratio(ours, figures.get(self.of, {}).get(self.figure))


AIMS: Sequence[Aim] = (
    Aim("gap_seconds", 0.4, BY_HAND),
    Aim("gap_seconds", 0.4, PACEMAKER),
    Aim("move_seconds", 0.33, PACEMAKER),
    Aim("takeover_seconds", 5.0),
    Aim("exec_events", 30),
    Aim("client_seconds", 2.0),
    Aim("move_seconds", 8.0),
)


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """Ours as a part of theirs; None where either is missing, or theirs is nothing."""
    return ours / theirs if ours is not None and theirs else None
