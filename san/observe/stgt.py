"""STGT: the targets that tgtd serves, with LUNs, sessions and ACLs (`tgtadm --op show`)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from . import services
from .sections import UnreadableError, split

PROGRAM = "tgtadm"
DAEMON = "tgtd"
UNIT = "tgt.service"

DIFFERS = "differs "
"""Before each line of what `iscsi-target check` says."""

WATCH = "iqn.2026-11.invalid.san-watch:node"
"""What the node's own watch calls itself when it logs in to look (templates/watch/Initiator.pm)."""

NOT_CONNECTED = 107
"""tgtadm's status where nothing listens: errno ENOTCONN. Its words differ between versions."""

_TARGET = re.compile(r"Target (?P<tid>\d+): (?P<name>.*)")
_INITIATOR = re.compile(r"(?P<name>.*?)(?: alias: (?P<alias>.*))?")
_SIZE = re.compile(r"(?P<megabytes>\d+) MB(?:, Block size: (?P<block>\d+))?")
_ISCSI_NAME = ("iqn.", "eui.", "naa.")
_OUTGOING = " (outgoing)"


@attrs.frozen
class StgtLun:
    """A logical unit. LUN 0 is STGT's own controller."""

    number: int
    type: str
    """`disk`, `controller`, `cd/dvd`, …"""
    path: str | None
    """The device or file behind it; None for a controller."""
    backing: str
    """The kind of backing store: `rdwr`, `aio`, `null`."""
    megabytes: int
    """Size in units of 10^6 bytes, rounded down: tgtadm prints no exact one."""
    block_size: int | None
    """Bytes; None in versions before 1.0.14, which print none."""
    online: bool
    readonly: bool
    scsi_id: str
    """What multipath makes its WWID of, padding included: `IET     00010001` by default."""
    scsi_sn: str


@attrs.frozen
class StgtSession:
    """An initiator that is logged in (an I_T nexus), with the addresses of its connections."""

    nexus: int
    initiator: str
    alias: str | None
    addresses: tuple[str, ...]


@attrs.frozen
class StgtTarget:
    """A target."""

    tid: int
    name: str
    state: str
    """`ready` or `offline`."""
    luns: tuple[StgtLun, ...]
    sessions: tuple[StgtSession, ...]
    accounts: tuple[str, ...]
    """CHAP users that initiators prove to be; secrets are never printed."""
    outgoing_accounts: tuple[str, ...]
    """CHAP users that the target proves to be."""
    acl_addresses: tuple[str, ...]
    """`ALL`, addresses and networks. Nobody gets in where there is neither these nor names."""
    acl_initiators: tuple[str, ...]

    @property
    def disks(self) -> tuple[StgtLun, ...]:
        """The LUNs that hold data."""
        return tuple(lun for lun in self.luns if lun.type == "disk")

    @property
    def clients(self) -> tuple[StgtSession, ...]:
        """The sessions of clients: without that of the node's own watch."""
        return tuple(each for each in self.sessions if each.initiator != WATCH)


@attrs.frozen
class StgtState:
    """STGT on one node."""

    installed: bool
    running: bool
    """Whether tgtd runs; it answers then, or there is no such state."""
    boot: services.Boot
    """What its unit does at boot. A cluster's target is started by its resource script only."""
    targets: tuple[StgtTarget, ...]
    portals: tuple[str, ...]
    """Where it listens: `0.0.0.0:3260`, `[::]:3260`."""
    differs: tuple[str, ...] = ()
    """What `iscsi-target apply` would do to make it follow its configuration; none without tgtd."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def parse(output: Iterable[str]) -> StgtState:
    """Read the section `stgt` of `facts.stgt.Stgt`."""
    section = split(output).get("stgt")
    if section is None:
        raise UnreadableError("tgtd's answer lacks its part")
    found = services.parse(section.lines)
    installed = PROGRAM in found.programs
    running = installed and section.status == 0
    if installed and not running and (section.status != NOT_CONNECTED or DAEMON in found.running):
        raise UnreadableError(
            f"tgtadm failed with status {section.status}"
            f"{' though tgtd runs' if DAEMON in found.running else ''}: {section.text.strip()}"
        )
    if not installed and DAEMON in found.running:
        raise UnreadableError("tgtd runs and tgtadm is not there to ask it")
    return StgtState(
        installed=installed,
        running=running,
        boot=found.boot.get(UNIT, "absent"),
        targets=parse_targets(section.lines) if running else (),
        portals=parse_portals(section.lines) if running else (),
        differs=tuple(
            line.removeprefix(DIFFERS) for line in section.lines if line.startswith(DIFFERS)
        ),
    )


def parse_portals(lines: Iterable[str]) -> tuple[str, ...]:
    """Read `tgtadm --op show --mode portal`: lines such as `Portal: 0.0.0.0:3260,1`."""
    return tuple(
        line.removeprefix("Portal: ").rpartition(",")[0]
        for line in lines
        if line.startswith("Portal: ")
    )


def parse_targets(lines: Iterable[str]) -> tuple[StgtTarget, ...]:
    """Read `tgtadm --lld iscsi --op show --mode target`, four spaces an indentation.

    Example (shortened)::

        Target 1: iqn.2009-02.com.example:test
            System information:
                Driver: iscsi
                State: ready
            I_T nexus information:
                I_T nexus: 2
                    Initiator: iqn.1993-08.org.debian:01:badger alias: badger
                    Connection: 0
                        IP Address: 192.168.1.30
            LUN information:
                LUN: 1
                    Type: disk
                    SCSI ID: IET     00010001
                    Size: 67 MB, Block size: 512
                    Backing store path: /dev/storage/test
            Account information:
                joe
            ACL information:
                192.168.1.0/24
    """
    shown = [line for line in lines if line.startswith(("Target ", " "))]
    try:
        return tuple(_target(head, body) for head, body in _blocks(shown))
    except (KeyError, ValueError) as problem:
        raise UnreadableError(f"tgtadm printed a target without {problem}") from None


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each least indented line with the lines below it, their indentation lessened by four."""
    head: str | None = None
    body: list[str] = []
    for line in lines:
        if line.startswith("    ") and head is not None:
            body.append(line[4:])
            continue
        if head is not None:
            yield head, body
        head, body = line, []
    if head is not None:
        yield head, body


def _target(head: str, body: list[str]) -> StgtTarget:
    found = _TARGET.fullmatch(head)
    if found is None:
        raise ValueError(f"a number: {head!r}")
    parts = dict(_blocks(body))
    accounts = [line.strip() for line in parts["Account information:"]]
    acl = [line.strip() for line in parts["ACL information:"]]
    return StgtTarget(
        tid=int(found["tid"]),
        name=found["name"],
        state=_fields(parts["System information:"])["State"],
        luns=tuple(_lun(head, body) for head, body in _blocks(parts["LUN information:"])),
        sessions=tuple(
            _session(head, body) for head, body in _blocks(parts["I_T nexus information:"])
        ),
        accounts=tuple(name for name in accounts if not name.endswith(_OUTGOING)),
        outgoing_accounts=tuple(
            name.removesuffix(_OUTGOING) for name in accounts if name.endswith(_OUTGOING)
        ),
        acl_addresses=tuple(entry for entry in acl if not entry.startswith(_ISCSI_NAME)),
        acl_initiators=tuple(entry for entry in acl if entry.startswith(_ISCSI_NAME)),
    )


def _fields(lines: Iterable[str]) -> dict[str, str]:
    """`Name: value` by name; a value may hold anything, colons and spaces at its end too."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def _lun(head: str, body: list[str]) -> StgtLun:
    fields = _fields(body)
    size = _SIZE.fullmatch(fields["Size"])
    if size is None:
        raise ValueError(f"a size: {fields['Size']!r}")
    path = fields["Backing store path"]
    return StgtLun(
        number=int(head.removeprefix("LUN: ")),
        type=fields["Type"],
        path=None if path == "None" else path,
        backing=fields["Backing store type"],
        megabytes=int(size["megabytes"]),
        block_size=None if size["block"] is None else int(size["block"]),
        online=fields["Online"] == "Yes",
        readonly=fields["Readonly"] == "Yes",
        scsi_id=fields["SCSI ID"],
        scsi_sn=fields["SCSI SN"],
    )


def _session(head: str, body: list[str]) -> StgtSession:
    fields = _fields(body)
    name = _INITIATOR.fullmatch(fields["Initiator"])
    alias = name and name["alias"]
    return StgtSession(
        nexus=int(head.removeprefix("I_T nexus: ")),
        initiator=name["name"] if name else fields["Initiator"],
        alias=None if alias == "none" else alias,
        addresses=tuple(
            line.strip().removeprefix("IP Address: ") for line in body if "IP Address: " in line
        ),
    )
