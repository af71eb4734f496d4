"""In which logical volumes a replicated disk has changed since its peer had all of it.

For people who choose between two sides. How much has changed, `drbd_devices` says exactly; here is
where, as far as DRBD has it on its disk.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import UnreadableError, split

_VOLUME = re.compile(r"volume (?P<name>\S+/\S+) (?P<kib>\d+)")
_ELSEWHERE = re.compile(r"elsewhere (?P<kib>\d+)")
_ACTIVE = re.compile(r"active (?P<name>\S+/\S+)")


@attrs.frozen
class Changes:
    """Where a resource changed; volumes are `GROUP/NAME`."""

    volumes: Mapping[str, int] = attrs.field(factory=dict)
    """KiB, by the bitmap on the disk."""
    elsewhere: int = 0
    """KiB in no volume: LVM's metadata, free room."""
    active: tuple[str, ...] = ()
    """Volumes in areas that DRBD expects writes to: what changed there may be in memory alone."""
    unknown: str | None = None
    """Why nothing is known."""


@attrs.frozen
class ChangesState:
    """Where the resources of a node changed."""

    resources: Mapping[int, Changes]
    """By minor."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def section(minor: int) -> str:
    """The name of a resource's section."""
    return f"changes-{minor}"


def parse(output: Iterable[str]) -> ChangesState:
    """Read a section for each resource, of the program `san.render.programs.CHANGES`.

    Example::

        volume storage/test 1024
        elsewhere 4
        active storage/test
    """
    return ChangesState(
        {
            int(name.rpartition("-")[2]): _changes(found.lines)
            if found.status == 0
            else Changes(unknown=found.text or f"status {found.status}")
            for name, found in split(output).items()
        }
    )


def _changes(lines: Iterable[str]) -> Changes:
    volumes: dict[str, int] = {}
    active: list[str] = []
    elsewhere = 0
    for line in lines:
        if match := _VOLUME.fullmatch(line):
            volumes[match["name"]] = int(match["kib"])
        elif match := _ELSEWHERE.fullmatch(line):
            elsewhere = int(match["kib"])
        elif match := _ACTIVE.fullmatch(line):
            active.append(match["name"])
        elif line:
            raise UnreadableError(f"where a disk has changed is told in another way: {line!r}")
    return Changes(volumes, elsewhere, tuple(active))
