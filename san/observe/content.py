"""Whether disks that are new to DRBD hold anything, told by reading all that is replicated."""

import re
import shlex
from collections.abc import Iterable
from typing import Any

import attrs

from .sections import UnreadableError, script, split

LIMIT = 90
"""Seconds for a resource: the program reads for 60."""

_SHELL = """\
read -r size </sys/class/block/drbd{minor}/size || exit
[ "$size" -gt 0 ] || exit
exec perl -e {program} {disk} $((size * 512))
"""
_ANSWER = re.compile(r"zero|(?P<kind>partly|content) (?P<at>\d+)")


@attrs.frozen
class Content:
    """What reading a replicated disk from its beginning found."""

    read: int | None = None
    """Bytes that were read, all zero, when the time was over; None where it was read to its end, or
    to the first content."""
    at: int | None = None
    """Where the first byte is that isn't zero."""

    @property
    def zero(self) -> bool:
        """Whether all that is replicated was read, and is zero."""
        return self.read is None and self.at is None

    def __str__(self) -> str:
        if self.at is not None:
            return f"content at byte {self.at}"
        return "all zero" if self.read is None else f"zero in the first {self.read >> 20} MiB"


@attrs.frozen
class ContentState:
    """What replicated disks hold."""

    disks: tuple[Content, ...]
    """In the order in which they were asked for."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(resources: Iterable[tuple[int, str]], program: str) -> str:
    """The script whose output `parse` reads, for pairs of a minor and a backing disk."""
    return script(
        {
            f"content-{minor}": _SHELL.format(
                minor=minor, program=shlex.quote(program), disk=shlex.quote(disk)
            )
            for minor, disk in resources
        },
        LIMIT,
    )


def parse(output: Iterable[str]) -> ContentState:
    """Read the sections `content-MINOR`; what could not be read is no zero."""
    found = []
    for section in split(output).values():
        said = [line for line in section.lines if line]
        match = _ANSWER.fullmatch(said[-1]) if said else None
        if section.status or match is None:
            raise UnreadableError(f"a replicated disk can't be read: {'; '.join(said)}")
        at = int(match["at"]) if match["kind"] else None
        found.append(Content(**{"read" if match["kind"] == "partly" else "at": at}))
    return ContentState(tuple(found))
