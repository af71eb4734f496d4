"""Block devices that may back a resource: size, what is on them, and who uses them.

util-linux, perl-base and sysfs alone (wipefs(8), proc_pid_mountinfo(5)), which are there before any
package of ours is; everything is opened for reading only. wipefs names what it knows; only reading
proves that nothing is there (`templates/drbd/content`).
"""

import re
import shlex
from collections.abc import Iterable, Iterator

import attrs

from .sections import Section, UnreadableError

SECTOR = 512
"""Bytes: what sysfs counts sizes in, whatever the disk's own sectors are."""

DRBD = "drbd"
"""The signature of DRBD's metadata, internal or on a disk of its own (wipefs(8))."""

_SIGNATURE = re.compile(r"0x(?P<offset>[0-9a-f]+)\s+(?P<type>\S+)")
_PASSING = re.compile(
    r"/dev/(block/|disk/by-(uuid|label|diskseq|loop-\w+)/|disk/by-id/lvm-pv-uuid-)"
)
"""Names that count disks, and those that follow the content, which DRBD copies to the peer."""
_CONTENT = re.compile(
    r"content (zero|(?P<busy>busy)|content (?P<at>\d+)|partly \d+|unreadable \d+: (?P<why>.+))"
)
_OCTAL = re.compile(r"\\([0-7]{3})")

_SHELL = """\
export LC_ALL=C
content={content}
set -- {disks}
while [ $# -gt 0 ]; do
  real=$(readlink -m -- "$2")
  echo "disk $1 $2"
  echo "device $real"
  if [ -b "$real" ]; then
    base=/sys/class/block/${{real##*/}}
    for attribute in size dev; do
      {{ read -r value <"$base/$attribute"; }} && echo "$attribute $value"
    done
    for holder in "$base"/holders/*; do
      if [ -e "$holder" ]; then echo "holder ${{holder##*/}}"; fi
    done
    for part in "$base"/*/partition; do
      if [ -e "$part" ]; then
        part=${{part%/partition}}
        {{ read -r value <"$part/dev"; }} && echo "partition ${{part##*/}} $value"
      fi
    done
    wipefs --no-act --noheadings --output OFFSET,TYPE -- "$real"
    echo "wipefs $?"
    echo "content $(perl -e "$content" "$real" 2>&1)"
    if [ "$2" = "$real" ]; then
      find -L /dev/disk /dev/mapper /dev/md -samefile "$real" 2>/dev/null | sed 's/^/name /'
    fi
  elif [ -e "$real" ]; then
    echo other
  else
    echo absent
  fi
  shift 2
done
echo mounts
exec cat /proc/self/mountinfo /proc/swaps
"""


@attrs.frozen
class Signature:
    """Something that a file system, LVM, RAID or DRBD wrote to be recognised by."""

    type: str
    """As libblkid names it: `drbd`, `LVM2_member`, `ext4`, `gpt`, …"""
    offset: int
    """Bytes from the disk's beginning."""


@attrs.frozen
class Disk:
    """A path that is to be a disk, and what is there."""

    path: str
    device: str
    """Where the path leads: /dev/vdb for /dev/disk/by-id/virtio-data."""
    exists: bool
    block: bool
    """It is a block device; all below says nothing where it isn't."""
    size: int = 0
    """Bytes."""
    signatures: tuple[Signature, ...] = ()
    holders: tuple[str, ...] = ()
    """Kernel names of devices built on it (dm-0, md0); DRBD 8.4 does not show up here."""
    partitions: tuple[str, ...] = ()
    """Kernel names."""
    mounts: tuple[str, ...] = ()
    """Where it or a partition of it is mounted; `[SWAP]` for swap space."""
    busy: bool = False
    """Somebody has it for himself: DRBD, LVM, a mount, a target, a database, plain dm-crypt."""
    content: int | None = None
    """Where the first byte that isn't zero was found, in its first or last MiB or where DRBD's
    metadata would lie; nothing is known of it where the disk is busy."""
    links: tuple[str, ...] = ()
    """Its other names; asked for only where `path` is the kernel's own name."""
    problem: str | None = None
    """Why it could not be read; then `signatures` and `content` say nothing."""

    @property
    def blank(self) -> bool:
        """Whether it was read, with nothing on it, and nobody uses it."""
        used = (self.signatures, self.holders, self.partitions, self.mounts, self.busy)
        return self.block and self.problem is None and self.content is None and not any(used)

    @property
    def unstable(self) -> bool:
        """Whether `path` is a name that may be another disk's after a boot: the kernel's own, or
        one that follows what is on it or the order in which disks came."""
        return self.path == self.device or _PASSING.match(self.path) is not None

    @property
    def stable_names(self) -> tuple[str, ...]:
        """Those of its other names that stay with it."""
        return tuple(
            sorted(each for each in self.links if each != self.device and not _PASSING.match(each))
        )

    @property
    def has_drbd_metadata(self) -> bool:
        """Whether DRBD's metadata is on it."""
        return any(signature.type == DRBD for signature in self.signatures)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Types of the signatures that are not DRBD's metadata."""
        return tuple(each.type for each in self.signatures if each.type != DRBD)


def shell(disks: Iterable[tuple[str, str]], content: str) -> str:
    """The text for `sh` whose output `parse` reads, for pairs of a name and a path.

    `content` is the program that reads a disk (san.render.programs).
    """
    return _SHELL.format(
        content=shlex.quote(content), disks=shlex.join(word for pair in disks for word in pair)
    )


def parse(section: Section) -> dict[str, Disk]:
    """Read what `shell` printed: disks by name.

    Example::

        disk r0 /dev/disk/by-id/virtio-data
        device /dev/vdb
        size 2097152
        dev 254:16
        0x3ffff03c drbd
        wipefs 0
        content busy
        mounts
        21 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
    """
    if section.status or "mounts" not in section.lines:
        raise UnreadableError(f"the backing disks don't answer: {_last(section.lines)}")
    cut = section.lines.index("mounts")
    mounts = tuple(_mounts(section.lines[cut + 1 :]))
    found: dict[str, Disk] = {}
    for name, path, lines in _blocks(section.lines[:cut]):
        found[name] = _disk(path, lines, mounts)
    return found


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    current: tuple[str, str, list[str]] | None = None
    for line in lines:
        if line.startswith("disk "):
            if current is not None:
                yield current
            _, name, path = line.split(" ", maxsplit=2)
            current = (name, path, [])
        elif current is not None and line:
            current[2].append(line)
    if current is not None:
        yield current


def _disk(path: str, lines: list[str], mounts: tuple[tuple[str, str, str], ...]) -> Disk:
    words = [line.split(" ") for line in lines]
    single = {line[0]: line[1] for line in words if len(line) == 2}  # noqa: PLR2004 (name, value)
    device = single.get("device", path)
    if "size" not in single or "dev" not in single:
        return Disk(path, device, exists="absent" not in lines, block=False)
    parts = [(line[1], line[2]) for line in words if line[0] == "partition"]
    numbers = {single["dev"], *(number for _, number in parts)}
    devices = {device, *(f"/dev/{name}" for name, _ in parts)}
    read = next((found for line in lines if (found := _CONTENT.fullmatch(line))), None)
    return Disk(
        path,
        device,
        exists=True,
        block=True,
        size=int(single["size"]) * SECTOR,
        signatures=tuple(
            Signature(match["type"], int(match["offset"], 16))
            for line in lines
            if (match := _SIGNATURE.fullmatch(line.strip()))
        ),
        holders=tuple(line[1] for line in words if line[0] == "holder"),
        partitions=tuple(name for name, _ in parts),
        mounts=tuple(
            place for number, source, place in mounts if number in numbers or source in devices
        ),
        busy=read is not None and read["busy"] is not None,
        content=int(read["at"]) if read and read["at"] else None,
        links=tuple(line.removeprefix("name ") for line in lines if line.startswith("name ")),
        problem=_problem(lines, read) if single.get("wipefs") == "0" else _complaint(lines),
    )


def _problem(lines: Iterable[str], read: "re.Match[str] | None") -> str | None:
    if read is None:
        said = next((line for line in lines if line.startswith("content ")), "content nothing")
        return f"its content gave no answer: {said.removeprefix('content ')}"
    return "too slow, not read within 60 s" if read[1].startswith("partly") else read["why"]


def _complaint(lines: Iterable[str]) -> str:
    said = [line.removeprefix("wipefs: error: ") for line in lines if line.startswith("wipefs: ")]
    return said[-1] if said else "wipefs gave no answer"


def _mounts(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Device number, source and place of every mount, and of swap space."""
    for line in lines:
        before, dash, after = line.partition(" - ")
        if dash:
            fields, source = before.split(" "), after.split(" ")
            yield fields[2], _plain(source[1]), _plain(fields[4])
        elif line.startswith("/"):
            yield "", _plain(line.split()[0]), "[SWAP]"


def _plain(text: str) -> str:
    """A field without the octal escapes that keep white space out of /proc's tables."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _last(lines: Iterable[str]) -> str:
    return next((line for line in reversed(tuple(lines)) if line), "no answer in time")
