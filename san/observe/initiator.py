"""A client: open-iscsi's settings, node records and sessions, and the multipath maps above them.

Sessions are read from sysfs, which needs no daemon to answer; settings and records from
open-iscsi's files, of which no line with a secret is ever asked for.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from . import services
from .multipath import MultipathMap, parse_maps
from .sections import UnreadableError, split

PROGRAMS = ("iscsiadm", "multipathd")
DAEMONS = ("iscsid", "multipathd")
UNITS = ("iscsid.service", "iscsid.socket", "open-iscsi.service", "multipathd.service")

NAME_FILE = "/etc/iscsi/initiatorname.iscsi"
SETTINGS_FILE = "/etc/iscsi/iscsid.conf"
RECORDS = ("/etc/iscsi/nodes", "/var/lib/iscsi/nodes")
"""Debian's places for node records: up to 12 and from 13."""
MULTIPATH_FILE = "/etc/multipath.conf"

KEYS = {
    "node.startup": "startup",
    "node.conn[0].timeo.noop_out_interval": "noop_out_interval",
    "node.conn[0].timeo.noop_out_timeout": "noop_out_timeout",
    "node.session.timeo.replacement_timeout": "replacement_timeout",
}
"""The settings that are read, by their name in open-iscsi's files."""

_SETTING = re.compile(r"(?P<file>/.*?):\s*(?P<key>[A-Za-z][\w.\[\]]*)\s*=\s*(?P<value>.*?)\s*")
_RECORD = re.compile(r".*/nodes/(?P<target>[^/]+)/(?P<address>[^/,]+),(?P<port>\d+)(,[^/]*)?(/.*)?")


@attrs.frozen
class IscsiSettings:
    """Settings of open-iscsi; None where a file says nothing and the built-in default rules."""

    startup: str | None = None
    """`automatic`: log in at boot; `manual`; `onboot`."""
    noop_out_interval: int | None = None
    """Seconds between two pings of the target; 0 is never."""
    noop_out_timeout: int | None = None
    """Seconds that a ping may take until the connection counts as broken."""
    replacement_timeout: int | None = None
    """Seconds until a broken session fails its I/O to the layer above; negative is never."""


@attrs.frozen
class NodeRecord:
    """A target at a portal that open-iscsi knows, with the settings of its next login."""

    target: str
    address: str
    port: int
    settings: IscsiSettings


@attrs.frozen
class Session:
    """A login to a target through one portal."""

    sid: int
    target: str
    address: str
    """The portal's, as it was asked for."""
    port: int
    state: str
    """`LOGGED_IN`, `FAILED` (it is being recovered), `FREE`."""
    replacement_timeout: int | None
    """In force on it, in seconds."""
    disks: tuple[str, ...] = ()
    """The SCSI disks that came by it: `sda`."""
    outdated: bool = False
    """It logs in by another CHAP user or secret than its node record has by now."""

    @property
    def logged_in(self) -> bool:
        """Whether it carries I/O."""
        return self.state == "LOGGED_IN"


@attrs.frozen
class InitiatorState:
    """open-iscsi and multipath on one client."""

    installed: bool
    """open-iscsi."""
    name: str | None
    """The initiator's iSCSI name; None where its file has none."""
    iscsid_running: bool
    boot: Mapping[str, services.Boot]
    """What iscsid.service, iscsid.socket, open-iscsi.service and multipathd.service do at boot."""
    settings: IscsiSettings | None
    """Those of iscsid.conf, which new node records copy; None without the file."""
    nodes: tuple[NodeRecord, ...]
    sessions: tuple[Session, ...]
    records: str
    """Where this open-iscsi keeps its node records; Debian 12's place where none is installed."""
    multipath_installed: bool
    multipathd_running: bool
    multipath_conf: bool
    """Whether there is an /etc/multipath.conf."""
    maps: tuple[MultipathMap, ...]
    """Empty while multipathd does not run: nobody tells then."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def parse(output: Iterable[str]) -> InitiatorState:
    """Read the sections `initiator` and `maps` of `facts.initiator.Initiator`."""
    sections = split(output)
    if not {"initiator", "maps"} <= sections.keys():
        raise UnreadableError("the initiator's answer lacks a part")
    if sections["initiator"].status > 1:
        raise UnreadableError(
            f"open-iscsi's files can't be read: {sections['initiator'].text.strip()}"
        )
    lines = sections["initiator"].lines
    found = services.parse(lines)
    files = {line.removeprefix("file ") for line in lines if line.startswith("file ")}
    settings = _settings(lines)
    multipathd = "multipathd" in found.running and "multipathd" in found.programs
    return InitiatorState(
        installed="iscsiadm" in found.programs,
        name=settings.get(NAME_FILE, {}).get("InitiatorName"),
        iscsid_running="iscsid" in found.running,
        boot=found.boot,
        settings=_typed(settings.get(SETTINGS_FILE, {})) if SETTINGS_FILE in files else None,
        nodes=tuple(_records(settings)),
        sessions=tuple(_sessions(lines)),
        records=next((line[8:] for line in lines if line.startswith("records ")), RECORDS[0]),
        multipath_installed="multipathd" in found.programs,
        multipathd_running=multipathd,
        multipath_conf=MULTIPATH_FILE in files,
        maps=parse_maps(sections["maps"]) if multipathd else (),
    )


def _settings(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """`key = value` by file and key; the last of a file counts, as for iscsid."""
    files: dict[str, dict[str, str]] = {}
    for line in lines:
        if found := _SETTING.fullmatch(line):
            files.setdefault(found["file"], {})[found["key"]] = found["value"]
    return files


def _typed(values: Mapping[str, str]) -> IscsiSettings:
    def seconds(key: str) -> int | None:
        value = values.get(key)
        return None if value is None else int(value)

    try:
        return IscsiSettings(
            startup=values.get("node.startup"),
            noop_out_interval=seconds("node.conn[0].timeo.noop_out_interval"),
            noop_out_timeout=seconds("node.conn[0].timeo.noop_out_timeout"),
            replacement_timeout=seconds("node.session.timeo.replacement_timeout"),
        )
    except ValueError as problem:
        raise UnreadableError(f"a setting of open-iscsi is no number: {problem}") from None


def _records(files: Mapping[str, Mapping[str, str]]) -> Iterator[NodeRecord]:
    for path, values in files.items():
        if record := _RECORD.fullmatch(path):
            yield NodeRecord(
                record["target"], record["address"], int(record["port"]), _typed(values)
            )


def _sessions(lines: Collection[str]) -> Iterator[Session]:
    """Lines such as `session 1 LOGGED_IN 192.168.1.1 3260 5 iqn.2009-02.com.example:test`.

    A session that ends while it is read leaves a line that lacks a part; it is none any more.
    """
    disks: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("disk "):
            _, sid, name = line.split(" ")
            disks.setdefault(sid, []).append(name)
    for line in lines:
        match line.split(" "):
            case ["session", sid, state, address, port, timeout, target] if state and address:
                yield Session(
                    sid=int(sid),
                    target=target,
                    address=address,
                    port=int(port or 0),
                    state=state,
                    replacement_timeout=int(timeout) if timeout.lstrip("-").isdigit() else None,
                    disks=tuple(disks.get(sid, ())),
                    outdated=f"outdated {sid}" in lines,
                )
            case _:
                pass
