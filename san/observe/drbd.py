"""DRBD on a host: kernel devices, metadata, backing disks, and what drbdadm would change.

The 8.4 module that Debian's kernels carry tells its state in /proc/drbd alone; the 9 module tells
it as JSON. Both become one `Device`. Nothing here loads the module: drbdsetup and drbdmeta do that
by themselves even when they only read, so neither is asked before it is loaded.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from . import disks as backing
from . import services
from .disks import Disk
from .drbd_claims import SHELL as _CLAIMS
from .drbd_claims import Claims, parse_claims
from .drbd_devices import Device, parse_json, parse_proc
from .drbd_generations import Generation, parse_generations
from .sections import Section, UnreadableError, script, split

_PLANNED = re.compile(r"drbd(?:setup|meta)(?:-\d+)? ")
_NO_ADDRESS = re.compile(r"\bIP (?P<address>\S+) not found on this host")
_TOOLS = "DRBDADM_VERSION="

_LOADED = "/sys/module/drbd"
_DISK_LIMIT = 70
"""Seconds for one disk: the program that reads it stops by itself after 60."""

COMPARED = "/var/lib/san/verify"
"""Written by san-verify: for each resource the last comparison that came to its end."""
_VERIFY = "san-verify"
_TIMER = f"/etc/systemd/system/{_VERIFY}.timer"
_SIZE = "/var/lib/drbd/drbd-minor-$word.lkbd"
"""What drbd-utils knows of a backing disk (lk_bdev_save): its bytes and its name."""

_KERNEL = f"""\
[ -d {_LOADED} ] || exit 0
export LC_ALL=C
read -r version <{_LOADED}/version || exit 1
echo "module $version"
case $version in
8.*) exec cat /proc/drbd ;;
*) exec drbdsetup status --json ;;
esac
"""
_TOOL = f"""\
command -v drbdadm >/dev/null || exit 127
export LC_ALL=C
for file in /etc/drbd.d/*.res; do
  if [ -f "$file" ]; then name=${{file##*/}}; echo "resource ${{name%.res}}"; fi
done
drbdadm --version 2>/dev/null
if [ -e {_TIMER} ]; then
stat -c 'scheduled %Y' {_TIMER}
{services.shell(daemons=(_VERIFY,))}fi
if [ -e {COMPARED} ]; then
  while read -r line; do echo "compared $line"; done <{COMPARED}
fi
name=
for word; do
  if [ -z "$name" ]; then name=$word; continue; fi
  if [ -e {_SIZE} ]; then
    read -r size disk <{_SIZE} && echo "size $name $size"
  fi
  name=
done
[ -d {_LOADED} ] || exit 0
while [ $# -gt 0 ]; do
  healthy=
  while read -r line; do
    case $line in "$2: cs:Connected ro:"*" ds:UpToDate/UpToDate "*) healthy=1 ;; esac
  done </proc/drbd
  if [ -z "$healthy" ] || [ "$every" = 1 ]; then
    echo "generation $1"
    drbdadm get-gi "$1" 2>/dev/null
  fi
  shift 2
done
exit 0
"""
_ADJUST = f"""\
command -v drbdadm >/dev/null || exit 127
[ -d {_LOADED} ] || exit 0
for file in /etc/drbd.d/*.res; do
  [ -f "$file" ] || exit 0
  echo configured
  break
done
plan=$(LC_ALL=C drbdadm --dry-run adjust all 2>&1)
status=$?
case $plan in
*shared-secret*)
  printf '%s\\n' "$plan" | sed -E 's/(shared-secret[= ])([^ \\\\]|\\\\.)*/\\1(hidden)/g'
  ;;
*)
  printf '%s\\n' "$plan"
  ;;
esac
exit $status
"""


@attrs.frozen
class Comparison:
    """A comparison of both nodes' blocks that came to its end (online verify)."""

    at: float
    """When it ended, in seconds since the epoch, by the node's clock."""
    differs: int
    """KiB that it found to differ."""


@attrs.frozen
class DrbdState:
    """DRBD on a host. `installed`, loaded and configured are three different things."""

    installed: bool
    """drbdadm is there."""
    tools_version: str | None
    module_version: str | None
    """None where the module isn't loaded; then `devices` is empty for that reason."""
    resource_files: tuple[str, ...]
    """Names of /etc/drbd.d/*.res, without the suffix."""
    devices: Mapping[int, Device]
    """The kernel's devices by minor."""
    adjust_plan: tuple[str, ...] | None
    """What `drbdadm adjust all` would run, secrets hidden: empty where the kernel is as the files
    say. None where the module isn't loaded, nothing is configured, or drbdadm refuses."""
    refusal: str | None
    """Why drbdadm does not accept the configuration."""
    missing_address: str | None
    """The resource's own address, where the refusal is that it isn't on this host."""
    generations: Mapping[str, Generation | None]
    """By resource, None where no metadata can be read. Asked only while the module is loaded, and
    unless it was asked for every one, not for a resource that is Connected and UpToDate on both
    nodes: that is missing here."""
    disks: Mapping[str, Disk]
    """Backing disks by resource."""
    sizes: Mapping[str, int] = attrs.field(factory=dict)
    """Bytes that a resource's backing disk had when DRBD used it last."""
    compared: Mapping[str, Comparison] = attrs.field(factory=dict)
    """The last comparison that this node began, by resource."""
    scheduled: float | None = None
    """Since when this node has its timer for comparisons; None without one."""
    verifying: bool = False
    """Whether this node's san-verify is at work."""
    claims: Claims = attrs.Factory(Claims)
    """What every resource of the host has or wants, ours or not."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(
    resources: Iterable[tuple[str, int, str]], *, content: str, every_generation: bool = False
) -> str:
    """The script whose output `parse` reads, for triples of a name, a minor and a backing disk.

    `content` is the program that reads a disk. With `every_generation`, that of healthy resources,
    too.
    """
    wanted = tuple(resources)
    names = shlex.join(word for name, minor, _ in wanted for word in (name, str(minor)))
    disks = backing.shell(((name, disk) for name, _, disk in wanted), content)
    rest = script(
        {
            "kernel": _KERNEL,
            "tools": f"every={int(every_generation)}; set -- {names}\n{_TOOL}",
            "adjust": _ADJUST,
            "claims": _CLAIMS,
        }
    )
    return f"{rest}\n{script({'disks': disks}, limit=_DISK_LIMIT * len(wanted))}"


def parse(output: Iterable[str]) -> DrbdState:
    """Read the sections `kernel`, `tools`, `adjust`, `claims` and `disks`."""
    sections = split(output)
    if not {"kernel", "tools", "adjust", "claims", "disks"} <= sections.keys():
        raise UnreadableError("DRBD's answer lacks a part")
    module, devices = parse_kernel(sections["kernel"])
    tools = sections["tools"]
    if tools.status and not tools.missing:
        raise UnreadableError(f"drbdadm gave no answer (status {tools.status})")
    plan, refusal = parse_adjust(sections["adjust"])
    address = _NO_ADDRESS.search(refusal or "")
    return DrbdState(
        installed=not tools.missing,
        tools_version=next(
            (line.removeprefix(_TOOLS) for line in tools.lines if line.startswith(_TOOLS)), None
        ),
        module_version=module,
        resource_files=tuple(_said("resource ", tools.lines)),
        devices=devices,
        adjust_plan=plan,
        refusal=refusal,
        missing_address=address["address"] if address else None,
        generations=parse_generations(tools.lines),
        disks=backing.parse(sections["disks"]),
        sizes={name: int(size) for name, size in map(str.split, _said("size ", tools.lines))},
        compared=dict(_comparisons(tools.lines)),
        scheduled=next((float(at) for at in _said("scheduled ", tools.lines)), None),
        verifying=_VERIFY in services.parse(tools.lines).running,
        claims=parse_claims(sections["claims"]),
    )


def _said(word: str, lines: Iterable[str]) -> Iterator[str]:
    return (line.removeprefix(word) for line in lines if line.startswith(word))


def _comparisons(lines: Iterable[str]) -> Iterator[tuple[str, Comparison]]:
    for line in _said("compared ", lines):
        try:
            name, at, kib = line.split()
            yield name, Comparison(float(at), int(kib))
        except ValueError:
            raise UnreadableError(f"{COMPARED} is not what san-verify writes: {line}") from None


def parse_kernel(section: Section) -> tuple[str | None, dict[int, Device]]:
    """The loaded module's version, and its devices by minor."""
    if section.status:
        raise UnreadableError(f"DRBD's module gave no answer: {section.text.strip()}")
    if not section.lines:
        return None, {}
    version = section.lines[0].removeprefix("module ")
    status = section.lines[1:]
    return version, parse_proc(status) if version.startswith("8.") else parse_json(
        "\n".join(status)
    )


def parse_adjust(section: Section) -> tuple[tuple[str, ...] | None, str | None]:
    """The plan of `drbdadm --dry-run adjust all`, or its refusal."""
    if section.missing or (not section.status and "configured" not in section.lines):
        return None, None
    said = [line for line in section.lines if line and line != "configured"]
    if section.status:
        return None, " ".join(" ".join(said).split()) or f"status {section.status}"
    return tuple(line for line in said if _PLANNED.match(line)), None
