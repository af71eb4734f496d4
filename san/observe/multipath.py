"""Multipath maps and their paths (`multipathd show maps json`)."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from .sections import Section, UnreadableError


@attrs.frozen
class Path:
    """One way to a LUN: a SCSI disk."""

    device: str
    """`sda`."""
    target: str | None
    """The iSCSI target's name, where the kernel tells it."""
    dm: str
    """What the kernel's map makes of it: `active`, `failed`, `undef`."""
    checked: str
    """What multipathd's checker saw last: `ready`, `faulty`, `shaky`, `ghost`, `i/o pending`."""
    online: str
    """The SCSI disk's own state: `running`, `blocked`, `offline`, `transport-offline`."""

    @property
    def active(self) -> bool:
        """Whether I/O goes through it."""
        return self.dm == "active" and self.checked == "ready"


@attrs.frozen
class MultipathMap:
    """A device that joins the paths to one LUN."""

    name: str
    """Below /dev/mapper."""
    wwid: str
    """What udev calls the LUN: `3` and its NAA identifier, or `1` and a T10 one, mostly."""
    device: str | None
    """`dm-0`; None while it isn't in sysfs."""
    queueing: str
    """What becomes of I/O without a path: `on` (it waits), `off` (it fails), `5 chk` (it waits for
    so many checks), `-`."""
    paths: tuple[Path, ...]
    """Of all path groups, in order."""

    @property
    def active_paths(self) -> int:
        """How many paths carry I/O."""
        return sum(path.active for path in self.paths)


def parse_maps(section: Section) -> tuple[MultipathMap, ...]:
    """Read `multipathd show maps json`; what it says before the JSON (warnings) is passed over.

    Example (shortened)::

        {"major_version": 0, "minor_version": 1, "maps": [{
           "name": "mpatha", "uuid": "360000000000000000e00000000010001", "sysfs": "dm-0",
           "queueing": "on", "path_groups": [{"paths": [{"dev": "sda", "dm_st": "active",
           "dev_st": "running", "chk_st": "ready", "target_wwnn": "iqn.2009-02.com.example:test"
           }]}]}]}
    """
    start = section.text.find("{")
    if section.status or start < 0:
        raise UnreadableError(
            f"multipathd listed no maps (status {section.status}): "
            f"{section.text.strip() or 'it printed nothing'}"
        )
    try:
        found = json.loads(section.text[start:])
        return tuple(_map(entry) for entry in found["maps"])
    except (ValueError, TypeError, KeyError) as problem:
        raise UnreadableError(f"multipathd's list of maps is malformed: {problem!r}") from None


def _map(entry: Mapping[str, Any]) -> MultipathMap:
    return MultipathMap(
        name=str(entry["name"]),
        wwid=str(entry["uuid"]),
        device=_known(entry["sysfs"]),
        queueing=str(entry["queueing"]),
        paths=tuple(_path(path) for group in entry["path_groups"] for path in group["paths"]),
    )


def _path(entry: Mapping[str, Any]) -> Path:
    return Path(
        device=str(entry["dev"]),
        target=_known(entry.get("target_wwnn", "")),
        dm=str(entry["dm_st"]),
        checked=str(entry["chk_st"]),
        online=str(entry["dev_st"]),
    )


def _known(value: object) -> str | None:
    """Multipath's words for what it doesn't know; `undef` is of a map that isn't in sysfs."""
    return None if value in ("", "[undef]", "undef", "-", "##", "n/a") else str(value)
