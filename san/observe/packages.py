"""Debian packages and systemd units of a host (dpkg-query(1), dpkg(1), systemctl(1))."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import Section, UnreadableError, script, split

_FORMAT = "${db:Status-Eflag} ${db:Status-Status}\\t${Package}\\t${Version}\\n"
_SETTLED = {"ok installed", "ok config-files", "ok not-installed"}
"""States that dpkg leaves a package in when nothing went wrong (dpkg(1))."""
_LOCKED = "Another process has locked the database"

_PACKAGES = f"""\
rows=$(LC_ALL=C dpkg-query --show --showformat={shlex.quote(_FORMAT)}) || exit 2
echo "$rows"
settled=yes
case $rows in
  *reinstreq*|*' half-'*|*' unpacked'*|*' triggers-'*) settled= ;;
esac
for file in /var/lib/dpkg/updates/[0-9]*; do
  if [ -e "$file" ]; then echo interrupted; settled=; break; fi
done
if [ -z "$settled" ]; then LC_ALL=C dpkg --audit; fi
exit 0
"""
"""`dpkg --audit` knows of the lock and costs what dpkg-query does: asked where it matters."""
_UNITS = """\
echo units {units}
exec systemctl show --property=LoadState,ActiveState,UnitFileState -- {units}
"""


@attrs.frozen
class Unit:
    """A systemd unit (systemctl(1), org.freedesktop.systemd1(5))."""

    load_state: str
    """`loaded`, `not-found`, `masked`, `bad-setting`, `error`."""
    active_state: str
    """`active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`."""
    file_state: str
    """`enabled`, `disabled`, `static`, `masked`, `generated`, …; empty where there is no file."""

    @property
    def exists(self) -> bool:
        """Whether systemd has heard of it."""
        return self.load_state != "not-found"

    @property
    def masked(self) -> bool:
        """Whether nothing can start it."""
        return self.load_state == "masked"

    @property
    def enabled(self) -> bool:
        """Whether it starts at boot by itself."""
        return self.file_state in {"enabled", "enabled-runtime"}

    @property
    def running(self) -> bool:
        """Whether it runs, or is about to."""
        return self.active_state in {"active", "activating", "reloading"}


@attrs.frozen
class PackagesState:
    """The host's packages, whether dpkg is in order, and the units that were asked for."""

    installed: Mapping[str, str]
    """Version by name, of the packages that are wholly installed."""
    broken: tuple[str, ...]
    """Those that are half installed, unpacked, not configured, or wait for a trigger."""
    locked: bool
    """Another dpkg or apt is at work; `broken` and `interrupted` may be of its making."""
    interrupted: bool
    """dpkg was ended in its work and needs `dpkg --configure -a` first."""
    units: Mapping[str, Unit]
    """By the name it was asked for."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(units: Iterable[str] = ()) -> str:
    """The script whose output `parse` reads: one `dpkg-query` and one `systemctl`."""
    parts = {"packages": _PACKAGES}
    if wanted := shlex.join(units):
        parts["units"] = _UNITS.format(units=wanted)
    return script(parts)


def parse(output: Iterable[str]) -> PackagesState:
    """Read the sections `packages` and, where units were asked for, `units`."""
    sections = split(output)
    if "packages" not in sections:
        raise UnreadableError("the packages' answer lacks its part")
    section = sections["packages"]
    if section.status:
        raise UnreadableError(f"dpkg's database can't be read: {_last(section)}")
    rows = [_row(line) for line in section.lines if "\t" in line]
    if not rows:
        raise UnreadableError("dpkg-query names no package at all")
    return PackagesState(
        installed={name: version for state, name, version in rows if state.endswith(" installed")},
        broken=tuple(dict.fromkeys(name for state, name, _ in rows if state not in _SETTLED)),
        locked=any(line.startswith(_LOCKED) for line in section.lines),
        interrupted="interrupted" in section.lines,
        units=parse_units(sections["units"]) if "units" in sections else {},
    )


def parse_units(section: Section) -> dict[str, Unit]:
    """Read `systemctl show`: a block a unit, in the order of the names in the line before it.

    Example::

        units heartbeat.service tgt.service
        LoadState=loaded
        ActiveState=active
        UnitFileState=enabled

        LoadState=not-found
        ActiveState=inactive
        UnitFileState=
    """
    if section.status or not section.lines:
        raise UnreadableError(f"systemd does not answer: {_last(section)}")
    _, *names = section.lines[0].split()
    blocks = "\n".join(section.lines[1:]).strip("\n").split("\n\n")
    if len(blocks) != len(names):
        raise UnreadableError(f"systemd answered for {len(blocks)} of {len(names)} units")
    return {name: _unit(block) for name, block in zip(names, blocks, strict=True)}


def _unit(block: str) -> Unit:
    properties = dict(line.partition("=")[::2] for line in block.splitlines())
    try:
        return Unit(
            load_state=properties["LoadState"],
            active_state=properties["ActiveState"],
            file_state=properties["UnitFileState"],
        )
    except KeyError as lacking:
        raise UnreadableError(f"systemd's answer lacks {lacking}") from None


def _row(line: str) -> tuple[str, str, str]:
    try:
        state, name, version = line.split("\t")
    except ValueError:
        raise UnreadableError(f"dpkg-query printed no row of a package: {line}") from None
    return state, name, version


def _last(section: Section) -> str:
    return next((line for line in reversed(section.lines) if line), f"status {section.status}")
