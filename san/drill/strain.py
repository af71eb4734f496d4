"""How hard the nodes were strained, by their own journals: load, and heartbeats that were late."""

import re
from collections.abc import Iterable, Mapping

import attrs

from .guest import LOAD_UNIT
from .journal import Record

_LATE = re.compile(r"Late heartbeat: Node \S+: interval (\d+) ms")
_MEND = re.compile(r"^mend in place: ")
MOVED = (
    r"node \S+: is dead",
    r"info: Running \S+\s.*\b(?:start|stop)$",  # ResourceManager's, of a resource script
    r"^move to \S+: ",  # san-watch's
)
"""What a node logs where the service moves, or where one takes the other for dead."""


@attrs.frozen
class Strain:
    """Both nodes during a drill."""

    late: tuple[float, ...] = ()
    """Silences that Heartbeat called late (longer than `warntime`), in seconds, longest first."""
    mends: int = 0
    """How often the watch started something anew on the node that serves."""
    load: Mapping[str, float] = {}
    """By node, where a drill put it under load: its last load average, per processor."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of it; nothing where the nodes were at ease."""
        said = [
            f"{node}'s load average was {load:.1f} per processor"
            for node, load in self.load.items()
        ]
        if self.late:
            said.append(f"{len(self.late)} late heartbeats, the longest after {self.late[0]:.1f} s")
        if self.mends:
            said.append(f"the watch mended in place, times: {self.mends}")
        return tuple(said)

    def to_json(self) -> dict[str, object]:
        """For a program."""
        return {
            "late_heartbeats": len(self.late),
            "longest_late_heartbeat_seconds": max(self.late, default=0.0),
            "mends_in_place": self.mends,
            "load_per_processor": dict(self.load),
        }


def read(records: Mapping[str, Iterable[Record]]) -> Strain:
    """Read the nodes' journals, by node."""
    late: list[float] = []
    mends = 0
    load: dict[str, float] = {}
    for node, told in records.items():
        for record in told:
            if record.who == LOAD_UNIT:
                average, processors = record.text.split()
                load[node] = float(average) / int(processors)
            elif found := _LATE.search(record.text):
                late.append(int(found[1]) / 1000)
            elif _MEND.search(record.text):
                mends += 1
    return Strain(tuple(sorted(late, reverse=True)), mends, load)
