"""Replicated disks and the volumes on them."""

import re
from collections.abc import Iterator, Mapping

import attrs

from . import text
from .declare import (
    Check,
    Finding,
    declared,
    duplicates,
    independent,
    many,
    mapping,
    sound,
    whole,
)
from .problem import Problem
from .secret import Secret, a_secret
from .size import ALL_FREE, bytes_of, size

DRBD_MINOR_MAX = 1048575
"""The kernel's largest minor number (20 bits)."""

DRBD_SECRET_LENGTH = (12, 64)
"""Characters in a shared-secret: none to guess, and at most what drbd.conf(5) takes."""

DRBD_WORDS = re.compile(
    r"address|all|common|connection|connection-mesh|device|disk|floating|global|handlers|host|"
    r"include|meta-disk|minor-.*|net|node-id|on|options|path|port|protocol|proxy|resource|skip|"
    r"stacked-on-top-of|startup|syncer|template-file|volume"
)
"""Words that drbd.conf(5) and drbdadm(8) read as something else than a resource's name."""

TAKEN_PORTS = {22: "sshd", 3260: "the iSCSI target"}
"""TCP ports that another service of a node holds on every address."""

IN_DEV = re.compile(
    r"block|bus|char|cpu|disk|dm-\d+|dri|drbd\d*|fd|hugepages|input|loop\d+|mapper|md\d*|"
    r"mqueue|net|nvme.*|pts|random|sd[a-z]{1,2}\d*|shm|snd|vd[a-z]{1,2}\d*|vfio|zero|null"
)
"""Names that /dev has already, so that no volume group can have its directory there (lvm(8))."""

LVS_OWN = re.compile(
    r"(snapshot|pvmove).*|"
    r".*_([ct]data|[cirt]meta|corig|cpool|cvol|[iv]orig|mimage|mlog|pmspare|rimage|vdata|"
    r"wcorig).*"
)
"""Names that LVM keeps for volumes of its own (lvm(8), VALID NAMES)."""

DM_NAME_MAX = 127
"""Characters in a device-mapper name: `group-volume`, each hyphen within a name doubled."""


def _disk(value: object) -> Finding:
    if isinstance(value, Mapping):
        return _DISKS(value)
    return text.device(value)


_DISKS: Check = mapping(text.uname, text.device, "a disk for each node")


@attrs.frozen
class DrbdResource:
    """A DRBD resource: one disk on each node, kept equal, seen as one device (drbd.conf(5))."""

    name: str = declared(text.token)
    disk: str | Mapping[str, str] = declared(_disk)
    """The backing disk: one path for both nodes, or a path by node name."""
    minor: int = declared(whole(0, DRBD_MINOR_MAX, "a device's minor"), default=0)
    port: int = declared(whole(1, 65535, "a TCP port"), default=7788)
    network: str = declared(text.token, default="replication")
    secret: Secret = declared(a_secret, default=Secret("DRBD_SECRET"), repr=False)
    """What the peers prove to each other (shared-secret, at most 64 characters)."""

    def problems(self) -> Iterator[Problem]:
        """Names, ports and secrets that DRBD can't take."""
        return independent(
            self,
            self._secret(),
            self._name(),
            self._port(),
        )

    def _secret(self) -> Iterator[Problem]:
        yield from self.secret.unfit("DRBD's shared-secret", *DRBD_SECRET_LENGTH)

    def _name(self) -> Iterator[Problem]:
        if DRBD_WORDS.fullmatch(self.name):
            yield Problem("name", f"{self.name!r} is a word of drbdadm's own; choose another")

    def _port(self) -> Iterator[Problem]:
        if self.port in TAKEN_PORTS:
            yield Problem(
                "port", f"{self.port} is taken by {TAKEN_PORTS[self.port]}; choose one such as 7788"
            )

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
    def bytes(self) -> int | None:
        """Its size in bytes; None for what its group has left."""
        return None if self.size == ALL_FREE else bytes_of(self.size)

    def problems(self) -> Iterator[Problem]:
        """Names that LVM keeps for its own volumes."""
        if LVS_OWN.fullmatch(self.name):
            yield Problem(
                "name", f"{self.name!r} is like the names of LVM's own volumes; rename it"
            )


@attrs.frozen
class VolumeGroup:
    """An LVM volume group on DRBD resources; it moves as one (vgcreate(8))."""

    name: str = declared(text.token)
    resources: tuple[str, ...] = declared(many(str, "names of DRBD resources", least=1))
    volumes: tuple[Volume, ...] = declared(many(Volume, "Volumes", least=1))

    def problems(self) -> Iterator[Problem]:
        """Names that stand twice, that /dev has already, or that are too long together."""
        return independent(self, self._name(), self._twice(), self._rest(), self._lengths())

    def _name(self) -> Iterator[Problem]:
        if IN_DEV.fullmatch(self.name):
            yield Problem("name", f"/dev/{self.name} is not LVM's; choose another name")

    def _twice(self) -> Iterator[Problem]:
        for name in duplicates(sound(self.volumes, "name")):
            yield Problem("volumes", f"{name!r} is there twice; give each volume its own name")

    def _rest(self) -> Iterator[Problem]:
        """What is left can be given away once."""
        rest = [each for each in sound(self.volumes, "size") if each == ALL_FREE]
        if len(rest) > 1:
            yield Problem(
                "volumes", f"{ALL_FREE} is there {len(rest)} times; give all but one a size"
            )

    def _lengths(self) -> Iterator[Problem]:
        for index, volume in enumerate(self.volumes):
            if len(_mapped(self.name)) + 1 + len(_mapped(volume.name)) > DM_NAME_MAX:
                yield Problem(
                    f"volumes[{index}].name",
                    f"it and {self.name!r} have more than {DM_NAME_MAX} characters together, "
                    "hyphens counted twice, as device-mapper does; shorten one",
                )

    def contains(self, device: str) -> bool:
        """Whether `device` is the path of one of its volumes, in either spelling."""
        mapped = f"/dev/mapper/{_mapped(self.name)}-"
        return device.startswith(f"/dev/{self.name}/") or (
            device.startswith(mapped) and device[len(mapped) : len(mapped) + 1] != "-"
        )


def _mapped(name: str) -> str:
    """The name as device-mapper writes it."""
    return name.replace("-", "--")
