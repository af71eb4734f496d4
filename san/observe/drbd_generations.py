"""DRBD's generation identifiers: which data a node has, and what it knows of its peer's."""

import re
from collections.abc import Iterable
from typing import Literal, get_args

import attrs

JUST_CREATED = "0000000000000004"
"""The current UUID of metadata that has seen no data yet (UUID_JUST_CREATED in drbd.h)."""

Flag = Literal[
    "consistent",
    "was-up-to-date",
    "primary",
    "connected",
    "full-sync",
    "peer-outdated",
    "crashed-primary",
]
"""What get-gi prints behind the identifiers, in its order (dt_print_uuids of drbd-utils).

`crashed-primary`: it was Primary when it went down; what it had in flight may be on one side only.
"""

_FLAGS: tuple[Flag, ...] = get_args(Flag)
_GENERATION = re.compile(
    r"(?P<current>[0-9A-Fa-f]{16}):(?P<bitmap>[0-9A-Fa-f]{16})"
    r"(?P<history>(?::[0-9A-Fa-f]{16})*)(?P<flags>(?::[01])*):?"
)


@attrs.frozen
class Generation:
    """A resource's generation identifiers on this node (drbdmeta(8), get-gi), in hexadecimal.

    The lowest bit of each says whether the node was Primary, not which data it has.
    """

    current: str
    bitmap: str
    """All zeros unless changes were tracked while the peer was away."""
    history: tuple[str, ...]
    flags: tuple[Flag, ...] | None = None
    """Those that are set; None where they weren't printed."""

    @property
    def just_created(self) -> bool:
        """Whether the metadata has seen no data yet."""
        return self.current == JUST_CREATED

    @property
    def consistent(self) -> bool | None:
        """Whether the data is of one moment: not the middle of a resync. None: not known."""
        return None if self.flags is None else "consistent" in self.flags

    @property
    def outdated(self) -> bool | None:
        """Whether this node knows that its data isn't the newest. None: not known."""
        return None if self.flags is None else "was-up-to-date" not in self.flags


def parse_generations(lines: Iterable[str]) -> dict[str, Generation | None]:
    """Read `drbdadm get-gi`, one resource after the other.

    Example::

        generation r0
        0000000000000004:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0:0
    """
    found: dict[str, Generation | None] = {}
    name: str | None = None
    for line in lines:
        if line.startswith("generation "):
            name = line.removeprefix("generation ")
            found[name] = None
        elif name is not None and found[name] is None and (match := _GENERATION.search(line)):
            found[name] = Generation(
                current=match["current"].upper(),
                bitmap=match["bitmap"].upper(),
                history=tuple(match["history"].upper().split(":")[1:]),
                flags=_flags(match["flags"].split(":")[1:]),
            )
    return found


def _flags(printed: list[str]) -> tuple[Flag, ...] | None:
    if len(printed) < len(_FLAGS):
        return None
    return tuple(flag for flag, bit in zip(_FLAGS, printed, strict=False) if bit == "1")
