"""Heartbeat in haresources mode: what runs, who is alive, who holds what, and its files.

The states come from `cl_status` of Heartbeat 3.0 (the same in Debian 11 to 13).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

import attrs

from . import services
from .ha_cf import HaCf, parse_ha_cf
from .haresources import ResourceGroup, parse_haresources
from .sections import Section, UnreadableError, split

CONFIG = "/etc/ha.d"
UNIT = "heartbeat.service"
DAEMON = "heartbeat"
PROGRAM = "cl_status"

Holds = Literal["none", "local", "foreign", "all", "transition"]
"""Which groups this node holds: `local` those that haresources names it for, `foreign` the other
node's; `transition` while any of them moves. Mind that a node for which haresources has no group
says `local` of that nothing: where both nodes say so, each holds its own (seen on a real pair)."""

_STOPPED = "Heartbeat is stopped on this machine."
_REFUSED = "Heartbeat is apparently running on this machine, but refuses my connection"


@attrs.frozen
class NodeState:
    """A node as this one sees it."""

    status: str
    """`active` (heard, and its Heartbeat is ready), `up` (heard), `init`, `dead`, or `ping`."""
    kind: str
    """`normal`, or `ping` for a pseudo member."""
    links: Mapping[str, str]
    """`up` or `dead` by link (an interface, a serial device). A node's links to itself count for
    nothing: a link that does not hear its own packets is `dead` there."""

    @property
    def alive(self) -> bool:
        """Whether it is heard."""
        return self.status in {"active", "up", "ping"}


@attrs.frozen
class HeartbeatState:
    """Heartbeat on one node."""

    installed: bool
    running: bool
    """Whether its processes exist."""
    boot: services.Boot
    """What its unit does at boot."""
    nodes: Mapping[str, NodeState] | None
    """None while it is stopped, or runs but takes no clients yet (or no longer)."""
    holds: Holds | None
    """None where `nodes` is."""
    ha_cf: HaCf | None
    """None where there is no such file."""
    haresources: tuple[ResourceGroup, ...] | None
    """None where there is no such file."""
    authkeys_mode: int | None
    """Permission bits of authkeys, whose contents stay where they are; None without the file."""

    def holds_group_of(self, preferred: str, own: str) -> bool | None:
        """Whether the node named `own` holds the groups that haresources names `preferred` for.

        None: it doesn't answer, or they are moving.
        """
        if self.holds in {None, "transition"}:
            return None
        return self.holds in {"all", "local" if preferred == own else "foreign"}

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def parse(output: Iterable[str]) -> HeartbeatState:
    """Read the sections `files`, `nodes` and `resources` of `facts.heartbeat.Heartbeat`."""
    sections = split(output)
    if not {"files", "nodes", "resources"} <= sections.keys():
        raise UnreadableError("Heartbeat's answer lacks a part")
    if sections["files"].status > 1:
        raise UnreadableError(f"{CONFIG} can't be read: {sections['files'].text.strip()}")
    lines = sections["files"].lines
    found = services.parse(lines)
    texts = _texts(lines)
    installed = PROGRAM in found.programs
    running = DAEMON in found.running
    nodes = parse_nodes(sections["nodes"], running=running) if installed else None
    return HeartbeatState(
        installed=installed,
        running=running,
        boot=found.boot.get(UNIT, "absent"),
        nodes=nodes,
        holds=None if nodes is None else parse_holds(sections["resources"]),
        ha_cf=parse_ha_cf(texts["ha.cf"]) if "ha.cf" in texts else None,
        haresources=parse_haresources(texts["haresources"]) if "haresources" in texts else None,
        authkeys_mode=_mode(lines),
    )


def parse_nodes(section: Section, *, running: bool) -> dict[str, NodeState] | None:
    """Read `cl_status hbstatus -v`.

    None is 'nobody answers'. Where it merely refuses the client that is an answer only while the
    daemon exists, and a time out is none at all.

    Example::

        version:        3.0.6 (958e11be8686)
        managed by:     "haresources"

        weasel  active  (nodetype: normal)
                eth1    up
                /dev/ttyS0      up

        otter   dead    (nodetype: normal)
                eth1    dead
                /dev/ttyS0      dead
    """
    if _STOPPED in section.lines or (running and _REFUSED in section.lines):
        return None
    nodes = dict(_nodes(section.lines))
    if section.status or not nodes:
        raise UnreadableError(
            f"cl_status hbstatus failed with status {section.status}: {section.text.strip()}"
        )
    return nodes


def _nodes(lines: Iterable[str]) -> Iterator[tuple[str, NodeState]]:
    links: dict[str, str] = {}
    for line in lines:
        match line.rstrip().split("\t"):
            case [name, status, kind] if name and kind.startswith("(nodetype: "):
                links = {}
                node = NodeState(status, kind[len("(nodetype: ") : -1], links)
                yield name, node
            case ["", link, status]:
                links[link] = status
            case _:
                pass


def parse_holds(section: Section) -> Holds:
    """Read `cl_status rscstatus`: one word, which of the groups this node holds."""
    for word in section.lines:
        if word in get_args(Holds):
            holds: Holds = word  # type: ignore[assignment]  # narrowed by get_args
            return holds
    raise UnreadableError(
        f"cl_status rscstatus failed with status {section.status}: {section.text.strip()}"
    )


def _texts(lines: Iterable[str]) -> dict[str, str]:
    """The files that exist, by name, with their text."""
    texts: dict[str, list[str]] = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "file":
            texts[rest] = []
        path, colon, text = line.partition(":")
        name = path.removeprefix(f"{CONFIG}/")
        if colon and path != name and name in texts:
            texts[name].append(text)
    return {name: "\n".join(found) for name, found in texts.items()}


def _mode(lines: Iterable[str]) -> int | None:
    return next(
        (int(line.split(" ")[1], 8) for line in lines if line.startswith("authkeys ")), None
    )
