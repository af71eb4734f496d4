"""Replicated disks and the volumes on them."""

from collections.abc import Iterator, Mapping

import attrs

from . import text
from .declare import a, between, declared, duplicates, many, mapping
from .problem import Problem
from .secret import Secret
from .size import bytes_of, size

DRBD_MINOR_MAX = 1048575
"""The kernel's largest minor number (20 bits)."""


def _disk(value: object) -> str | None:
    if isinstance(value, Mapping):
        return mapping(text.uname, text.path, "a disk for each node")(value)
    return text.path(value)


@attrs.frozen
class DrbdResource:
    """A DRBD resource: one disk on each node, kept equal, seen as one device (drbd.conf(5))."""

    name: str = declared(text.token)
    disk: str | Mapping[str, str] = declared(_disk)
    """The backing disk: one path for both nodes, or a path by node name."""
    minor: int = declared(between(0, DRBD_MINOR_MAX, "a device's minor"), default=0)
    port: int = declared(between(1, 65535, "a TCP port"), default=7788)
    network: str = declared(text.token, default="replication")
    secret: Secret = declared(a(Secret, "a Secret"), default=Secret("DRBD_SECRET"))
    """What the peers prove to each other (shared-secret, at most 64 characters)."""

    @property
    def device(self) -> str:
        """The replicated device."""
        return f"/dev/drbd{self.minor}"

    def disk_of(self, node: str) -> str:
        """The backing disk on `node`."""
        return self.disk if isinstance(self.disk, str) else self.disk[node]


@attrs.frozen
class Volume:
    """A logical volume. It grows to a larger size; it never shrinks."""

    name: str = declared(text.token)
    size: str = declared(size)

    @property
    def bytes(self) -> int:
        """Its size in bytes."""
        return bytes_of(self.size)


@attrs.frozen
class VolumeGroup:
    """An LVM volume group on DRBD resources; it moves as one (vgcreate(8))."""

    name: str = declared(text.token)
    resources: tuple[str, ...] = declared(many(str, "names of DRBD resources", least=1))
    volumes: tuple[Volume, ...] = declared(many(Volume, "Volumes", least=1))

    def problems(self) -> Iterator[Problem]:
        """Names that stand twice, and those LVM keeps for itself."""
        for name in duplicates([volume.name for volume in self.volumes]):
            yield Problem("volumes", f"{name!r} is there twice; give each volume its own name")
        for index, volume in enumerate(self.volumes):
            if volume.name.startswith(("snapshot", "pvmove")):
                yield Problem(
                    f"volumes[{index}].name", f"{volume.name!r} begins as LVM's own names do"
                )

    def path_of(self, volume: str) -> str:
        """The device of `volume`."""
        return f"/dev/{self.name}/{volume}"
