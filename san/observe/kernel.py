"""Kernels of a host: the running one and those installed. What boots next, `san-kmod` knows."""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import UnreadableError, script, split

INTERESTING = (
    "drbd",
    "dm_mod",
    "dm_multipath",
    "iscsi_trgt",
    "iscsi_scst",
    "iscsi_target_mod",
    "iscsi_tcp",
    "scst",
    "softdog",
)
"""Modules that this library's subsystems need, by the kernel's name for them."""

_DIGITS = re.compile(r"(\d+)")

_SHELL = """\
{{ read -r line </proc/sys/kernel/osrelease; }} && echo "running $line"
{{ read -r line </proc/sys/kernel/hostname; }} && echo "hostname $line"
while IFS='=' read -r name line; do
  line=${{line#[\\"\\']}} line=${{line%[\\"\\']}}
  case $name in ID | VERSION_ID | VERSION_CODENAME) echo "$name $line" ;; esac
done </etc/os-release
for file in /boot/vmlinuz-*; do
  if [ -f "$file" ]; then echo "image ${{file#/boot/vmlinuz-}}"; fi
done
for tree in /lib/modules/*; do
  if [ -e "$tree/modules.dep" ] || [ -d "$tree/kernel" ]; then echo "modules ${{tree##*/}}"; fi
  if [ -e "$tree/build/Makefile" ]; then echo "headers ${{tree##*/}}"; fi
done
for name in {modules}; do
  if [ -d "/sys/module/$name" ]; then
    line=
    if [ -r "/sys/module/$name/version" ]; then read -r line <"/sys/module/$name/version"; fi
    echo "loaded $name $line"
  fi
done
exit 0
"""


@attrs.frozen
class KernelState:
    """A host's kernels and its Debian release."""

    hostname: str
    """What `uname -n` prints."""
    running: str
    """The running kernel's release (`uname -r`)."""
    installed: tuple[str, ...]
    """Releases with an image in /boot and modules, oldest first."""
    headers: tuple[str, ...]
    """Releases that a module can be built for (/lib/modules/RELEASE/build)."""
    modules: Mapping[str, str | None]
    """Modules in the kernel among those asked for, with the version they tell."""
    distribution: str
    """`debian` (os-release(5), ID)."""
    codename: str | None
    """`bookworm`; None where the release has none."""
    version: str | None
    """`12`; None for testing and sid."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def order(release: str) -> tuple[object, ...]:
    """A key that sorts kernel releases as Debian does (deb-version(7)); -rc comes before."""
    pieces = _DIGITS.split(re.sub(r"-rc", "~rc", release))
    return tuple(
        int(piece) if index % 2 else (*map(_weight, piece), 0) for index, piece in enumerate(pieces)
    )


def _weight(character: str) -> int:
    """`~` before the end, the end (0) before letters, letters before all else."""
    if character == "~":
        return -1
    return ord(character) + (0 if character.isalpha() else 256)


def shell(modules: Iterable[str] = INTERESTING) -> str:
    """The script whose output `parse` reads: shell builtins."""
    return script({"kernel": _SHELL.format(modules=shlex.join(modules))})


def parse(output: Iterable[str]) -> KernelState:
    """Read the section `kernel`.

    Example::

        running 6.1.0-37-cloud-amd64
        hostname weasel
        ID debian
        VERSION_CODENAME bookworm
        image 6.1.0-37-cloud-amd64
        modules 6.1.0-37-cloud-amd64
        headers 6.1.0-37-cloud-amd64
        loaded drbd 8.4.11
    """
    sections = split(output)
    if "kernel" not in sections or sections["kernel"].status:
        raise UnreadableError("the kernel's answer lacks its part")
    lines = sections["kernel"].lines
    words = [line.split(" ") for line in lines]
    single = {line[0]: line[1] for line in words if len(line) == 2}  # noqa: PLR2004 (name, value)
    if not {"running", "hostname", "ID"} <= single.keys():
        raise UnreadableError("/proc/sys/kernel or /etc/os-release can't be read")
    images = {line[1] for line in words if line[0] == "image"}
    trees = {line[1] for line in words if line[0] == "modules"}
    installed = tuple(sorted(images & trees, key=order))
    return KernelState(
        hostname=single["hostname"],
        running=single["running"],
        installed=installed,
        headers=tuple(sorted((w[1] for w in words if w[0] == "headers"), key=order)),
        modules={line[1]: " ".join(line[2:]) or None for line in words if line[0] == "loaded"},
        distribution=single["ID"],
        codename=single.get("VERSION_CODENAME"),
        version=single.get("VERSION_ID"),
    )
