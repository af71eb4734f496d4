"""Debian packages and systemd units of a host (dpkg-query(1), dpkg(1), systemctl(1))."""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import Section, UnreadableError, script, split

POLICY = "/usr/sbin/policy-rc.d"
"""Where it is executable and answers 101, packages don't start their daemons (invoke-rc.d(8))."""

_FORMAT = (
    "${Package}\\t${db:Status-Want}\\t${db:Status-Eflag}\\t${db:Status-Status}\\t${Version}\\n"
)
_SETTLED = {"installed", "config-files", "not-installed"}
"""States that dpkg leaves a package in when nothing went wrong (dpkg(1))."""
_UNKNOWN = re.compile(r"dpkg-query: no packages found matching (?P<name>\S+)")
_LOCKED = "Another process has locked the database"
_AUDITED = re.compile(r" (?P<name>[a-z0-9][a-z0-9.+-]*)(?::[a-z0-9-]+)?(?: .*)?")

_HOUSE = f"""\
if [ -x {POLICY} ]; then echo policy-rc.d; fi
for file in /var/lib/dpkg/updates/[0-9]*; do
  if [ -e "$file" ]; then echo interrupted; break; fi
done
LC_ALL=C dpkg --audit
if [ $? -gt 1 ]; then exit 2; fi
"""
_QUERY = """\
LC_ALL=C dpkg-query --show --showformat={format} {names}
if [ $? -gt 1 ]; then exit 2; fi
"""
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
    """The packages and units that were asked for, and whether dpkg is in order."""

    installed: Mapping[str, str]
    """Version by name, of the packages that are wholly installed."""
    missing: tuple[str, ...]
    """Asked for and not installed: unknown, removed, or half-way (then `broken` has it too)."""
    broken: tuple[str, ...]
    """Any packages of this host that are half installed, unpacked, or not configured."""
    locked: bool
    """Another dpkg or apt is at work; `broken` and `interrupted` may be of its making."""
    interrupted: bool
    """dpkg was ended in its work and needs `dpkg --configure -a` first."""
    policy_rc_d: bool
    """Whether POLICY is there and executable."""
    units: Mapping[str, Unit]
    """By the name it was asked for."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(names: Iterable[str], units: Iterable[str] = ()) -> str:
    """The script whose output `parse` reads: `dpkg`, `dpkg-query` and `systemctl` once each."""
    packages = _HOUSE
    if wanted := shlex.join(names):
        packages += _QUERY.format(format=shlex.quote(_FORMAT), names=wanted)
    parts = {"packages": f"{packages}exit 0"}
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
    installed = {name: version for name, _, status, version in rows if status == "installed"}
    unknown = [match["name"] for line in section.lines if (match := _UNKNOWN.fullmatch(line))]
    missing = [*unknown, *(name for name, *_ in rows if name not in installed)]
    audited = [match["name"] for line in section.lines if (match := _AUDITED.fullmatch(line))]
    unsettled = [name for name, error, status, _ in rows if error != "ok" or status not in _SETTLED]
    return PackagesState(
        installed=installed,
        missing=tuple(dict.fromkeys(missing)),
        broken=tuple(dict.fromkeys([*audited, *unsettled])),
        locked=any(line.startswith(_LOCKED) for line in section.lines),
        interrupted="interrupted" in section.lines,
        policy_rc_d="policy-rc.d" in section.lines,
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


def _row(line: str) -> tuple[str, str, str, str]:
    try:
        name, _want, error, status, version = line.split("\t")
    except ValueError:
        raise UnreadableError(f"dpkg-query printed no row of a package: {line}") from None
    return name, error, status, version


def _last(section: Section) -> str:
    return next((line for line in reversed(section.lines) if line), f"status {section.status}")
