"""A takeover as the surviving node's Pacemaker tells it, read from its journal.

Pacemaker 2.1 on Corosync. The controller says when its peer is lost, and when an operation ended;
where it is the cluster's coordinator (a survivor always is), it says when it asks for one, too.
"""

import re
from collections.abc import Iterable

from .journal import Record
from .takeover import Step, Takeover

_LOST = re.compile(r"Node (\S+) state is now lost")
_ASKED = re.compile(r"Initiating (?:start|promote) operation (\S+?)(?::\d+)?_(?:start|promote)_0 ")
_ENDED = re.compile(r"Result of (?:start|promote) operation for (\S+) on \S+: (.+)")


def parse(records: Iterable[Record], dead: str) -> Takeover:
    """Follow the takeover from the node `dead`."""
    declared: float | None = None
    asked: dict[str, float] = {}
    ended: dict[str, float] = {}
    failures: dict[str, None] = {}
    for record in records:
        if declared is None:
            lost = _LOST.search(record.text)
            if lost and lost[1].lower() == dead.lower():
                declared = record.time
        elif asks := _ASKED.search(record.text):
            asked.setdefault(asks[1], record.time)
        elif result := _ENDED.search(record.text):
            if result[2] == "ok":
                ended.setdefault(result[1], record.time)
            else:
                failures.setdefault(result[0])
    steps = tuple(
        Step(name, at, ended.get(name, at))
        for name, at in sorted(asked.items(), key=lambda each: each[1])
    )
    return Takeover(declared, steps, bool(asked) and asked.keys() <= ended.keys(), tuple(failures))
