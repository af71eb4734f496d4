"""A takeover as the surviving node's Heartbeat tells it, read from its journal.

Heartbeat 3.0.6 in haresources mode: the heartbeat process declares its peer dead, then
ResourceManager starts the resources of a group one by one, ours neighbours with one script at
once. It logs when it runs a resource's script but not when the script has ended; our scripts and
the OCF wrappers (IPaddr2, LVM, …) log a `Success` there, mach_down the end of the whole. Before
each script's start ResourceManager asks it for its status; ours doesn't, where the script is ours.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import PurePosixPath

import attrs

from .journal import Record

OUR_SCRIPTS = {"drbd-primary", "volume-group", "portal", "iscsi-target"}
"""They log their success, and failures."""

_DEAD = re.compile(r"node (\S+): is dead")
_RUNNING = re.compile(r"info: Running (\S+)\s+(?:(\S.*?)\s+)?start$")
_ENDED = re.compile(r"INFO:\s+(?:\S+\s+)?Success$|debug: \S+ .*\bstart done\. RC=0$")
_COMPLETE = re.compile(r"mach_down takeover complete")
_FAILED = re.compile(r"CRIT: Giving up resources due to failure of .+|ERROR: Return code .+")


@attrs.frozen
class Step:
    """A resource's start: its name as haresources has it, when its script ran and when it ended.

    Where the end isn't logged it is the next script's start.
    """

    name: str
    start: float
    end: float


@attrs.frozen
class Takeover:
    """The survivor's story; times in seconds of its own wall clock."""

    declared_dead: float | None
    steps: tuple[Step, ...]
    end_is_logged: bool
    """False where the last script's end is unknown; its `end` is then its start."""
    failures: tuple[str, ...]

    @property
    def complete(self) -> float | None:
        """When the last resource had started."""
        return self.steps[-1].end if self.steps else None


def parse(records: Iterable[Record], dead: str) -> Takeover:
    """Follow the takeover from the node `dead`."""
    declared: float | None = None
    mach_down: float | None = None
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    failures: dict[str, None] = {}
    for record in records:
        text = record.text
        if declared is None:
            match = _DEAD.search(text)
            if match and match[1].lower() == dead.lower():
                declared = record.time
        elif match := _RUNNING.search(text):
            starts.setdefault(_name(match[1], match[2]), record.time)
        elif _ENDED.search(text):
            for name in _ended(record, starts, ends):
                ends.setdefault(name, record.time)
        elif _COMPLETE.search(text):
            mach_down = mach_down or record.time
        elif failure := _failure(record):
            failures.setdefault(failure)
    steps, logged = _steps(starts, ends, mach_down)
    return Takeover(declared, steps, logged, tuple(failures))


def _ended(record: Record, starts: dict[str, float], ends: dict[str, float]) -> tuple[str, ...]:
    """Whose end a record is: a script of ours logs by its name, and several may run at once."""
    if record.who not in OUR_SCRIPTS:
        return tuple(starts)[-1:]
    return tuple(name for name in starts if name.split("::")[0] == record.who and name not in ends)[
        :1
    ]


def _failure(record: Record) -> str | None:
    if record.who in OUR_SCRIPTS:
        return f"{record.who}: {record.text}"
    match = _FAILED.search(record.text)
    return match[0] if match else None


def _name(script: str, arguments: str | None) -> str:
    return "::".join([PurePosixPath(script).name, *(arguments or "").split()])


def _steps(
    starts: dict[str, float], ends: dict[str, float], mach_down: float | None
) -> tuple[tuple[Step, ...], bool]:
    """Put starts and ends together; also tell whether the last end is known."""
    names = tuple(starts)
    steps = [
        Step(name, starts[name], ends.get(name, starts[following]))
        for name, following in pairwise(names)
    ]
    if not names:
        return (), False
    last, start = names[-1], starts[names[-1]]
    # a node that takes back its own group logs mach_down's end before it starts the group
    if last not in ends and mach_down is not None and mach_down >= start:
        ends[last] = mach_down
    return (*steps, Step(last, start, ends.get(last, start))), last in ends
