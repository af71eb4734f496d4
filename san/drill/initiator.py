"""What the client's iSCSI and multipath layers say while the target is away."""

import re
from collections.abc import Iterable

import attrs

from .journal import Record


@attrs.frozen
class Happening:
    """Something the client's storage layers noticed, in seconds of the client's wall clock."""

    time: float
    kind: str
    """`lost`, `back`: an iSCSI connection; `down`, `up`: a path of the multipath map."""
    text: str


_PATTERNS = (
    ("lost", re.compile(r"(?:Kernel reported iSCSI |detected conn|ping timeout of|connection\S+ )"
                        r".*(?:error|expired|timed out)", re.IGNORECASE)),
    ("back", re.compile(r"connection\S+ is operational after recovery")),
    ("down", re.compile(r"Failing path \S+|\S+: mark as failed")),
    ("up", re.compile(r"Reinstating path \S+|\S+: reinstated")),
)  # fmt: skip


def parse(records: Iterable[Record]) -> tuple[Happening, ...]:
    """Pick the records about connections and paths."""
    return tuple(
        Happening(record.time, kind, record.text)
        for record in records
        for kind, pattern in _PATTERNS
        if pattern.search(record.text)
    )
