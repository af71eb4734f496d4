"""A rule over times: some of them together end before another one does.

Times are compared in whole milliseconds, so that 3 + 1.5 is 4.5.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from .declare import takes
from .heartbeat import Heartbeat
from .timing import Timing

if TYPE_CHECKING:
    from .cluster import Cluster

_PARTS = {"heartbeat": Heartbeat, "timing": Timing}


@attrs.frozen
class Change:
    """A new value of one field."""

    path: str
    """In the cluster, such as `heartbeat.deadtime`."""
    value: float
    part: float = attrs.field(eq=False)
    """By which part of its old value it changes."""

    def __str__(self) -> str:
        return f"{self.path}={_seconds(round(1000 * self.value))}"

    def made(self, cluster: "Cluster") -> "Cluster":
        """The cluster with it."""
        part, _, name = self.path.partition(".")
        times = attrs.evolve(getattr(cluster, part), **{name: self.value})
        return attrs.evolve(cluster, **{part: times})


@attrs.frozen
class Rule:
    """The sum of `lower` ends before `upper` and `slack` do."""

    name: str
    lower: tuple[str, ...]
    """One that is waited for twice stands here twice."""
    upper: str | None
    blamed: str
    """The time that a finding names."""
    reason: str
    slack: int = 0
    """Seconds."""
    equal: bool = False
    """Whether both may end at once."""

    def kept(self, cluster: "Cluster") -> bool:
        """Whether `cluster` keeps it."""
        return self._missing(cluster) <= 0

    def follows(self, cluster: "Cluster") -> bool:
        """Whether it compares a time that is left to the others: its field is None."""
        paths = (*self.lower, self.upper) if self.upper else self.lower
        return any(_declared(cluster, path) is None for path in paths)

    def sentence(self, cluster: "Cluster") -> str:
        """What is wrong in a cluster that breaks it, and why."""
        must = "must not exceed" if self.equal else "must be below"
        lower = " + ".join(
            ("twice " if times > 1 else "") + _name(path)
            for path, times in Counter(self.lower).items()
        )
        named = [_name(self.upper)] if self.upper else []
        upper = " + ".join(named + [f"{self.slack} s"] * bool(self.slack))
        if self.upper:
            less = _watchdog_takes(cluster, self.upper)
            full = self._upper(cluster) + less
            upper += f" ({_seconds(full)} s"
            # Only said where it is the reason.
            takes = less and self._lower(cluster) < full
            upper += f", of which the watchdog takes {less} ms)" if takes else ")"
        return f"{lower} ({_seconds(self._lower(cluster))} s) {must} {upper}: {self.reason}"

    def mends(self, cluster: "Cluster") -> tuple[Change, ...]:
        """For each of its times the smallest change that mends it alone, where one does."""
        missing = self._missing(cluster)
        found = [
            _moved(cluster, path, -(-missing // self.lower.count(path)), -1)
            for path in dict.fromkeys(self.lower)
        ]
        if self.upper:
            found.append(_moved(cluster, self.upper, missing, 1))
        return tuple(change for change in found if change)

    def _lower(self, cluster: "Cluster") -> int:
        return sum(_milliseconds(cluster, path) for path in self.lower)

    def _upper(self, cluster: "Cluster") -> int:
        if self.upper is None:
            return 1000 * self.slack
        less = _watchdog_takes(cluster, self.upper)
        return _milliseconds(cluster, self.upper) - less + 1000 * self.slack

    def _missing(self, cluster: "Cluster") -> int:
        """The milliseconds by which it is broken."""
        return self._lower(cluster) - self._upper(cluster) + (0 if self.equal else 1)


def _seconds(milliseconds: int) -> str:
    """A time as people write it: 2, 4.5."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _milliseconds(cluster: "Cluster", path: str) -> int:
    value = cluster.fence_peer if path == "timing.fence_peer" else _declared(cluster, path)
    return round(1000 * value)


def _watchdog_takes(cluster: "Cluster", path: str) -> int:
    """Milliseconds by which ha.cf has less than the inventory, so that the watchdog fires in time.

    Heartbeat judges by what it reads there.
    """
    if path != "heartbeat.deadtime":
        return 0
    return round(1000 * (cluster.heartbeat.deadtime - cluster.heartbeat.declared_deadtime))


def _declared(cluster: "Cluster", path: str) -> Any:  # noqa: ANN401 (a number, or None)
    part, _, name = path.partition(".")
    return getattr(getattr(cluster, part), name)


def _moved(cluster: "Cluster", path: str, by: int, direction: int) -> Change | None:
    """The field moved by at least `by` ms, to a value that people write; None where it can't be."""
    part, _, name = path.partition(".")
    kind = _PARTS[part]
    old = _milliseconds(cluster, path)
    fraction = attrs.fields_dict(kind)[name].type is float
    for grain in (100, 10, 1) if part == "heartbeat" else (100,) if fraction else (1000,):
        # Up to the next multiple for a time that grows, down for one that shrinks.
        new = direction * -(-direction * (old + direction * by) // grain) * grain
        value = new / 1000 if fraction else new // 1000
        if takes(kind, name, value):
            return Change(path, value, abs(new - old) / old)
    return None
