"""IET, the iSCSI Enterprise Target: its kernel's targets and sessions, its daemon, its file.

/proc/net/iet of versions 0.4.17, 1.4.19 and 1.4.20.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from . import services
from .ietd_conf import IetdConf, parse_ietd_conf
from .sections import Section, UnreadableError, split

PROGRAM = "ietadm"
DAEMON = "ietd"
SCRIPT = "iscsitarget"
UNIT = f"{SCRIPT}.service"
CONFIG_FILES = ("/etc/iet/ietd.conf", "/etc/ietd.conf")
"""The first that exists counts."""

TIMED_OUT = 124
ABSENT = 3
"""A section's own status where /proc/net/iet is not there."""

_TARGET = re.compile(r"tid:(?P<tid>\d+) name:(?P<name>.*)")
_LUN = re.compile(
    r"\tlun:(?P<number>\d+) state:(?P<state>\d+) iotype:(?P<iotype>\S+)"
    r"(?: iomode:(?P<iomode>\S+))?(?: blocks:(?P<blocks>\d+) blocksize:(?P<blocksize>\d+))?"
    r"(?: path:(?P<path>.*))?"
)
_SESSION = re.compile(r"\tsid:(?P<sid>\d+) initiator:(?P<initiator>.*)")
_CONNECTION = re.compile(r"\t\tcid:(?P<cid>\d+) ip:(?P<ip>\S+) state:(?P<state>\S+).*")


@attrs.frozen
class IetLun:
    """A logical unit as the kernel serves it."""

    number: int
    deleted: bool
    """It was deleted while I/O was stuck below it: it stays, and can't be added again, until that
    I/O drains."""
    iotype: str
    """`fileio`, `blockio` or `nullio`."""
    iomode: str | None
    """`wt`, `wb`, `ro`."""
    blocks: int | None
    """Of `block_size`; None before version 1.4.20."""
    block_size: int | None
    """Bytes."""
    path: str | None
    """None for nullio."""


@attrs.frozen
class IetTarget:
    """A target as the kernel serves it."""

    tid: int
    name: str
    luns: tuple[IetLun, ...]
    """In the order they were added."""


@attrs.frozen
class IetConnection:
    """A connection of a session."""

    cid: int
    address: str
    state: str
    """`active`, `closing`, …"""


@attrs.frozen
class IetSession:
    """An initiator that is logged in."""

    target: str
    sid: int
    initiator: str
    connections: tuple[IetConnection, ...]


@attrs.frozen
class IetState:
    """IET on one node."""

    installed: bool
    loaded: bool
    """The kernel module, iscsi_trgt."""
    running: bool
    """ietd; it may hang in the kernel while it ends, and is gone then only when it is gone."""
    boot: services.Boot
    """What its unit or its init script does at boot. A cluster's resource script starts it."""
    targets: tuple[IetTarget, ...] | None
    """Newest first, as the kernel lists them; empty without the module. None: the kernel did not
    answer in time, as while I/O is stuck below a LUN."""
    sessions: tuple[IetSession, ...] | None
    """None: the kernel did not answer in time."""
    config_file: str | None
    config: IetdConf | None
    """None without the file."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def parse(output: Iterable[str]) -> IetState:
    """Read the sections `volume`, `session` and `state` of `facts.iet.Iet`."""
    sections = split(output)
    if not {"volume", "session", "state"} <= sections.keys():
        raise UnreadableError("IET's answer lacks a part")
    if sections["state"].status:
        raise UnreadableError(f"IET's files can't be read: {sections['state'].text.strip()}")
    lines = sections["state"].lines
    found = services.parse(lines)
    config_file = next(
        (line.removeprefix("file ") for line in lines if line.startswith("file ")), None
    )
    config = "\n".join(line.removeprefix(":") for line in lines if line.startswith(":"))
    loaded = "module" in lines
    if loaded and ABSENT in {sections["volume"].status, sections["session"].status}:
        raise UnreadableError("the module iscsi_trgt is loaded and /proc/net/iet isn't there")
    return IetState(
        installed=PROGRAM in found.programs,
        loaded=loaded,
        running=DAEMON in found.running,
        boot="enabled" if "rc" in lines else found.boot.get(UNIT, "absent"),
        targets=parse_volume(sections["volume"]),
        sessions=parse_session(sections["session"]),
        config_file=config_file,
        config=None if config_file is None else parse_ietd_conf(config),
    )


def parse_volume(section: Section) -> tuple[IetTarget, ...] | None:
    r"""Read /proc/net/iet/volume; None where it did not answer in time.

    Example (1.4.20.3; the older ones print neither blocks nor blocksize)::

        tid:1 name:iqn.2009-02.com.example:test
        \tlun:0 state:0 iotype:fileio iomode:wt blocks:524288 blocksize:512 path:/dev/vdb
        \tlun:4 state:0 iotype:nullio iomode:wt blocks:131072 blocksize:512
    """
    if (lines := _answer(section)) is None:
        return None
    return tuple(
        IetTarget(tid, name, tuple(_lun(line) for line in body))
        for tid, name, body in _targets(lines)
    )


def parse_session(section: Section) -> tuple[IetSession, ...] | None:
    r"""Read /proc/net/iet/session; None where it did not answer in time.

    Example::

        tid:1 name:iqn.2009-02.com.example:test
        \tsid:1971424352600576 initiator:iqn.1993-08.org.debian:01:initiator1
        \t\tcid:0 ip:10.0.2.2 state:active hd:none dd:none
    """
    if (lines := _answer(section)) is None:
        return None
    return tuple(session for _, name, body in _targets(lines) for session in _sessions(name, body))


def _answer(section: Section) -> tuple[str, ...] | None:
    if section.status == TIMED_OUT:
        return None
    if section.status not in {0, ABSENT}:
        raise UnreadableError(f"/proc/net/iet can't be read: {section.text.strip()}")
    return section.lines


def _targets(lines: Iterable[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each target's number and name, and the lines below it."""
    current: tuple[int, str, list[str]] | None = None
    for line in lines:
        if found := _TARGET.fullmatch(line):
            if current is not None:
                yield current
            current = (int(found["tid"]), found["name"], [])
        elif current is not None:
            current[2].append(line)
        else:
            raise UnreadableError(f"/proc/net/iet begins with {line!r}, which is no target")
    if current is not None:
        yield current


def _lun(line: str) -> IetLun:
    found = _LUN.fullmatch(line)
    if found is None:
        raise UnreadableError(f"/proc/net/iet/volume has {line!r}, which is no LUN")
    blocks, block_size = found["blocks"], found["blocksize"]
    return IetLun(
        number=int(found["number"]),
        deleted=found["state"] != "0",
        iotype=found["iotype"],
        iomode=found["iomode"],
        blocks=None if blocks is None else int(blocks),
        block_size=None if block_size is None else int(block_size),
        path=found["path"],
    )


def _sessions(target: str, lines: Iterable[str]) -> Iterator[IetSession]:
    session: IetSession | None = None
    for line in lines:
        if found := _SESSION.fullmatch(line):
            if session is not None:
                yield session
            session = IetSession(target, int(found["sid"]), found["initiator"], ())
        elif (found := _CONNECTION.fullmatch(line)) and session is not None:
            connection = IetConnection(int(found["cid"]), found["ip"], found["state"])
            session = attrs.evolve(session, connections=(*session.connections, connection))
        else:
            raise UnreadableError(f"/proc/net/iet/session has {line!r}, which is no session")
    if session is not None:
        yield session
