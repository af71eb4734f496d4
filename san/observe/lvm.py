"""LVM as a host sees it: physical volumes, groups, logical volumes, and what hides devices."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from .sections import Section, UnreadableError, script, split

ACCEPT_ALL = "a|.*|"
"""LVM's global_filter where none is configured (lvm.conf(5))."""

DEVICES_DIRECTORY = "/etc/lvm/devices"
"""Where devices files lie (lvmdevices(8))."""

_ERRORS = "[stderr]"
"""The line between a command's output and what it said on standard error."""

_DEFAULT = "# "
"""What `lvmconfig --typeconfig default` puts before a setting."""

_COLUMNS: Mapping[str, str] = {
    "pv": "pv_name,vg_name,pv_size,pv_missing",
    "vg": "vg_name,vg_size,vg_free,vg_extent_size,vg_exported,vg_partial",
    "lv": "vg_name,lv_name,lv_path,lv_size,lv_active,lv_device_open",
    "pvseg": "pv_uuid",
    "seg": "lv_uuid",
}
"""What `lvm fullreport` is asked of each of its five reports; none can be left out."""

_PLAIN = shlex.quote(
    'log { prefix="" command_names=0 indent=1 verbose=0 silent=0 report_command_log=0 } '
    "report { binary_values_as_numeric=0 compact_output=0 prefixes=0 two_word_unknown_device=0 "
    'compact_output_cols="" mark_hidden_devices=1 }'
)
"""LVM's own defaults of what shapes its output (lvm.conf(5)), whatever a host's are."""

_REPORT = f"""\
command -v lvm >/dev/null || exit 127
unset LVM_COMMAND_PROFILE
export LC_ALL=C LVM_SUPPRESS_FD_WARNINGS=1
exec 3>&1
errors=$(lvm fullreport --config {_PLAIN} --reportformat json --units b --nosuffix \
{" ".join(f"--configreport {name} --options {names}" for name, names in _COLUMNS.items())} \
2>&1 >&3 3>&-)
status=$?
echo
echo '{_ERRORS}'
echo "$errors"
exit $status
"""
_CONFIGURATION = f"""\
command -v lvm >/dev/null || exit 127
unset LVM_COMMAND_PROFILE
export LC_ALL=C LVM_SUPPRESS_FD_WARNINGS=1
for file in {DEVICES_DIRECTORY}/*; do
  if [ -f "$file" ]; then
    echo "file $file"
    while read -r line; do echo "entry $file $line"; done <"$file"
  fi
done
type=default
if [ -e /etc/lvm/lvm.conf ]; then type=full; fi
exec lvm lvmconfig --config {_PLAIN} --typeconfig "$type" \
devices/global_filter devices/use_devicesfile devices/devicesfile
"""


@attrs.frozen
class PhysicalVolume:
    """A physical volume (pvs(8))."""

    name: str
    """Its device: /dev/drbd0; `[unknown]` where it is missing."""
    vg: str | None
    size: int
    """Bytes."""
    missing: bool


@attrs.frozen
class VolumeGroup:
    """A volume group (vgs(8))."""

    name: str
    size: int
    """Bytes, as the next two."""
    free: int
    extent_size: int
    pvs: tuple[str, ...]
    """Devices."""
    exported: bool
    partial: bool
    """A physical volume of it is missing."""


@attrs.frozen
class LogicalVolume:
    """A logical volume (lvs(8))."""

    vg: str
    name: str
    path: str
    size: int
    """Bytes."""
    active: bool | None
    """None where the kernel has no device-mapper to say so."""
    open: bool | None
    """Something has its device open, a file system or a target; None as above."""


@attrs.frozen
class DevicesFile:
    """The file that lists the only devices LVM looks at (lvmdevices(8))."""

    path: str
    exists: bool
    entries: tuple[str, ...]
    """Device names (DEVNAME)."""


@attrs.frozen
class LvmState:
    """What LVM finds through its filter. On a Secondary, what lies on DRBD is not among it."""

    installed: bool
    physical_volumes: tuple[PhysicalVolume, ...] = ()
    volume_groups: tuple[VolumeGroup, ...] = ()
    logical_volumes: tuple[LogicalVolume, ...] = ()
    global_filter: tuple[str, ...] | None = None
    """In force; None where nothing is filtered, or a devices file is in use instead."""
    devices_file: DevicesFile | None = None
    """None where LVM is configured not to use one."""
    warnings: tuple[str, ...] = ()
    """What LVM said on standard error: repeated settings, missing devices, …"""

    @property
    def devices_file_in_use(self) -> bool:
        """Whether a devices file decides what LVM looks at, and the filter is void."""
        return self.devices_file is not None and self.devices_file.exists

    def vg(self, name: str) -> VolumeGroup | None:
        """The volume group of that name."""
        return next((group for group in self.volume_groups if group.name == name), None)

    def lv(self, vg: str, name: str) -> LogicalVolume | None:
        """The logical volume of that name in `vg`."""
        found = (
            volume for volume in self.logical_volumes if (volume.vg, volume.name) == (vg, name)
        )
        return next(found, None)

    def pv(self, name: str) -> PhysicalVolume | None:
        """The physical volume on the device `name`."""
        return next((volume for volume in self.physical_volumes if volume.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell() -> str:
    """The script whose output `parse` reads: `lvm` twice, nothing else."""
    return script({"report": _REPORT, "configuration": _CONFIGURATION})


def parse(output: Iterable[str]) -> LvmState:
    """Read the sections `report` and `configuration`."""
    sections = split(output)
    if not {"report", "configuration"} <= sections.keys():
        raise UnreadableError("LVM's answer lacks a part")
    if sections["report"].missing:
        return LvmState(installed=False)
    reports, warnings = _reports(sections["report"])
    settings, files, said = _configuration(sections["configuration"])
    physical = tuple(_pv(row) for report in reports for row in report.get("pv", ()))
    use, name = settings.get("use_devicesfile"), str(settings.get("devicesfile"))
    path = f"{DEVICES_DIRECTORY}/{name}"
    devices_file = DevicesFile(path, path in files, files.get(path, ())) if use else None
    return LvmState(
        installed=True,
        physical_volumes=physical,
        volume_groups=tuple(
            _vg(row, physical) for report in reports for row in report.get("vg", ())
        ),
        logical_volumes=tuple(_lv(row) for report in reports for row in report.get("lv", ())),
        global_filter=_filter(settings.get("global_filter"), devices_file),
        devices_file=devices_file,
        warnings=tuple(dict.fromkeys([*warnings, *said])),
    )


def _reports(section: Section) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """The reports themselves, and whatever else LVM said, before them or on standard error."""
    if _ERRORS not in section.lines:
        raise UnreadableError(f"LVM gave no answer in time (status {section.status})")
    cut = section.lines.index(_ERRORS)
    printed, errors = section.lines[:cut], section.lines[cut + 1 :]
    begin = next((at for at, line in enumerate(printed) if line.lstrip().startswith("{")), cut)
    said = tuple(line.strip() for line in (*printed[:begin], *errors) if line.strip())
    if section.status:
        why = said[-1] if said else "nothing on standard error"
        raise UnreadableError(f"lvm fullreport failed with status {section.status}: {why}")
    try:
        return list(json.loads("\n".join(printed[begin:]))["report"]), said
    except (ValueError, TypeError, KeyError) as problem:
        raise UnreadableError(f"lvm fullreport printed no report: {problem!r}") from None


def _configuration(
    section: Section,
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]], list[str]]:
    """Settings by name, entries of devices files by path, and whatever else LVM said.

    Example::

        file /etc/lvm/devices/system.devices
        entry /etc/lvm/devices/system.devices IDTYPE=devname IDNAME=/dev/vdb DEVNAME=/dev/vdb PVID=…
        global_filter=["a|^/dev/drbd.*|","r|.*|"]
        use_devicesfile=0
        devicesfile="system.devices"
    """
    if section.status:
        raise UnreadableError(f"lvmconfig failed with status {section.status}: {section.text}")
    settings: dict[str, Any] = {}
    files: dict[str, tuple[str, ...]] = {}
    said: list[str] = []
    for line in section.lines:
        name, equals, value = line.removeprefix(_DEFAULT).partition("=")
        if line.startswith("file "):
            files[line.removeprefix("file ")] = ()
        elif line.startswith("entry "):
            _, file, entry = line.split(" ", maxsplit=2)
            files[file] += tuple(_devname(entry))
        elif equals and name in {"global_filter", "use_devicesfile", "devicesfile"}:
            settings[name] = _value(name, value)
        elif line.strip():
            said.append(line.strip())
    if not {"use_devicesfile", "global_filter"} & settings.keys():
        raise UnreadableError(f"lvmconfig printed no settings: {' '.join(said)}")
    return settings, files, said


def _devname(entry: str) -> Iterator[str]:
    for word in entry.split():
        if word.startswith("DEVNAME="):
            yield word.removeprefix("DEVNAME=")


def _value(name: str, text: str) -> Any:  # noqa: ANN401 (a string, a number or a list)
    try:
        return json.loads(text)
    except ValueError:
        raise UnreadableError(f"lvmconfig printed {name}={text}, which is no value") from None


def _filter(value: Any, devices_file: DevicesFile | None) -> tuple[str, ...] | None:  # noqa: ANN401
    if value is None or (devices_file is not None and devices_file.exists):
        return None
    patterns = (value,) if isinstance(value, str) else tuple(map(str, value))
    return None if patterns in {(), (ACCEPT_ALL,)} else patterns


def _pv(row: Mapping[str, str]) -> PhysicalVolume:
    return PhysicalVolume(
        name=_column(row, "pv_name"),
        vg=_column(row, "vg_name") or None,
        size=_number(row, "pv_size"),
        missing=_column(row, "pv_missing") != "",
    )


def _vg(row: Mapping[str, str], physical: tuple[PhysicalVolume, ...]) -> VolumeGroup:
    name = _column(row, "vg_name")
    return VolumeGroup(
        name=name,
        size=_number(row, "vg_size"),
        free=_number(row, "vg_free"),
        extent_size=_number(row, "vg_extent_size"),
        pvs=tuple(volume.name for volume in physical if volume.vg == name),
        exported=_column(row, "vg_exported") != "",
        partial=_column(row, "vg_partial") != "",
    )


def _lv(row: Mapping[str, str]) -> LogicalVolume:
    active = _known(row, "lv_active", "active")
    return LogicalVolume(
        vg=_column(row, "vg_name"),
        name=_column(row, "lv_name"),
        path=_column(row, "lv_path"),
        size=_number(row, "lv_size"),
        active=active,
        open=False if active is False else _known(row, "lv_device_open", "open"),
    )


def _known(row: Mapping[str, str], column: str, word: str) -> bool | None:
    value = _column(row, column)
    return None if value == "unknown" else value == word


def _column(row: Mapping[str, str], column: str) -> str:
    try:
        return str(row[column])
    except KeyError:
        raise UnreadableError(f"lvm fullreport lacks {column}") from None


def _number(row: Mapping[str, str], column: str) -> int:
    value = _column(row, column)
    if not value.isdecimal():
        raise UnreadableError(f"lvm fullreport says {column} is {value!r}, not bytes")
    return int(value)
