"""Who claims which minor, disk and port on a host: DRBD's resources, in the kernel and in files.

`drbdsetup show` tells the disks that the kernel has, `drbdadm dump` what all files say, whoever
wrote them. Both print secrets, so the script lets nothing through but the lines that are read here.
"""

import re

import attrs

from .disks import SECTOR
from .sections import Section, UnreadableError

SHELL = r"""
command -v drbdadm >/dev/null || exit 127
export LC_ALL=C
running=
if [ -d /sys/module/drbd ]; then
  running=$(drbdsetup show all 2>/dev/null) || exit 1
fi
files=$(drbdadm --dry-run dump all 2>&1)
status=$?
{
  printf '%s\n' "$running" | sed -nE '
    s/^ *resource "?([^" ]+)"? \{$/running \1/p
    s/^ *device[ \t]+(\S+ )?minor ([0-9]+);$/minor \2/p
    s/^ *disk[ \t]+"(.+)";$/disk \1/p
    s/^ *(flexible-)?meta-disk[ \t]+"?([^" ]+)"?.*;$/meta \2/p'
  printf '%s\n' "$files" | sed -nE "
    s/^# resource ([^ ]+) on .*: not ignored.*/configured \1/p
    s/^# resource .*: ignored.*/ignored/p
    s/^# defined at ([^\/].*):[0-9]+$/file \/etc\/\1/p
    s/^# defined at (.+):[0-9]+$/file \1/p
    s/^ *floating .*/here/p
    s/^ *on (.* )?$(uname -n) (.* )?\{$/here/p
    s/^ *(on|stacked-on-top-of) .*/there/p
    s/^ *device +(\S+ )?minor ([0-9]+);$/minor \2/p
    s/^ *disk +\"?([^\";]+)\"?;$/disk \1/p
    s/^ *address .*:([0-9]+);$/port \1/p
    s/^([^ :]+:[0-9]+: (conflicting use of .*|Parse error.*|.* first used here\.))$/refusal \1/p"
} | while read -r word value; do
  echo "$word $value"
  case $word in
  disk) echo "device $(readlink -m -- "$value")" ;;
  minor) { read -r size </sys/class/block/drbd$value/size; } 2>/dev/null && echo "size $size" ;;
  esac
done
echo "dump $status"
"""


@attrs.frozen
class Claim:
    """A minor that a resource has, or will have once its file is read."""

    resource: str
    file: str | None
    """Where it is defined; None: it is in the kernel."""
    minor: int
    disk: str | None = None
    """As it was written; None where it has none."""
    device: str | None = None
    """Where that path leads."""
    port: int | None = None
    size: int | None = None
    """Bytes of the replicated device; None where it isn't there."""
    meta: str | None = None
    """Where DRBD keeps its metadata: `internal`, on the disk itself, or another disk."""


@attrs.frozen
class Claims:
    """All of a host's."""

    running: tuple[Claim, ...] = ()
    configured: tuple[Claim, ...] = ()
    problem: str | None = None
    """Why drbdadm can't read the files; then `configured` says nothing."""

    def attached(self, minor: int) -> Claim | None:
        """What the kernel has on `minor`."""
        return next((each for each in self.running if each.minor == minor), None)


def parse_claims(section: Section) -> Claims:  # noqa: C901, PLR0912 (a case for each word)
    """Read the section `claims`.

    Example::

        running r0
        minor 0
        size 2097016
        disk /dev/disk/by-id/virtio-data
        device /dev/vdb
        meta internal
        configured r0
        file /etc/drbd.d/r0.res
        here
        minor 0
        disk /dev/disk/by-id/virtio-data
        device /dev/vdb
        port 7788
        there
        dump 0
    """
    if section.missing:
        return Claims()
    if section.status or not section.lines:
        raise UnreadableError(f"DRBD's resources can't be read (status {section.status})")
    found: dict[str, list[Claim]] = {"running": [], "configured": []}
    kind, resource, file, here = "", "", None, False
    for line in section.lines:
        word, _, value = line.partition(" ")
        mine = found.get(kind, [])
        match word:
            case "running" | "configured":
                kind, resource, file, here = word, value, None, word == "running"
            case "file":
                file = value
            case "ignored":
                kind = ""
            case "here" | "there":
                here = word == "here"
            case "minor" if here:
                mine.append(Claim(resource, file, int(value)))
            case "disk" if here and mine:
                mine[-1] = attrs.evolve(mine[-1], disk=value)
            case "device" if here and mine:
                mine[-1] = attrs.evolve(mine[-1], device=value)
            case "meta" if here and mine:
                mine[-1] = attrs.evolve(mine[-1], meta=value)
            case "size" if here and mine:
                mine[-1] = attrs.evolve(mine[-1], size=int(value) * SECTOR)
            case "port" if here:  # behind its volumes
                mine[:] = [
                    attrs.evolve(each, port=int(value)) if each.resource == resource else each
                    for each in mine
                ]
            case _:
                continue
    said = [line.removeprefix("refusal ") for line in section.lines if line[:8] == "refusal "]
    status = re.fullmatch(r"dump (\d+)", section.lines[-1])
    failed = status is None or status[1] != "0"
    return Claims(
        tuple(found["running"]),
        tuple(found["configured"]),
        ("; ".join(said) or "drbdadm dump all fails") if failed else None,
    )
