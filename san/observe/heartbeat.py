"""Heartbeat in haresources mode: what runs, who is alive, who holds what, and its files.

The states come from `cl_status` of Heartbeat 3.0 (the same in Debian 11 to 13).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeGuard, get_args

import attrs

from . import services
from .ha_cf import HaCf, parse_ha_cf
from .haresources import ResourceGroup, parse_haresources
from .sections import Section, UnreadableError, split

CONFIG = "/etc/ha.d"
UNIT = "heartbeat.service"
DAEMON = "heartbeat"
PROGRAM = "cl_status"

PID_FILE = "/run/heartbeat.pid"
"""Written at Heartbeat's start, when it reads ha.cf."""

OUTDATED = "outdated"
"""The fact's word for a ha.cf that is newer than the start."""

RENEWED = "renewed"
"""Its word for one of our scripts that is, which Heartbeat looks for at its start, too."""

Holds = Literal["none", "local", "foreign", "all", "transition"]
"""Which groups this node holds: `local` those that haresources names it for, `foreign` the other
node's; `transition` while any of them moves.

It is Heartbeat's intention and no proof. Seen on real pairs: a node for which haresources has no
group says `local` of that nothing, so where both nodes say so each holds its own; `all` is said as
soon as a takeover begins; and it is still said after `hb_standby` has stopped every resource
towards a peer that is dead. What is held, DRBD, the addresses and the target tell.
"""

_NOT_ADMITTED = "Cannot signon with heartbeat"
"""What cl_status says where Heartbeat is stopped or takes no clients yet."""
_NO_ANSWER = 12
"""Its status where it gave up waiting: a Heartbeat that was just replaced answers nobody until its
initdead is over."""


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
    outdated: bool = False
    """Whether it runs by an older ha.cf than is there."""
    renewed: bool = False
    """Whether it runs without knowing of a script that is there."""

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
    """Read the sections `cluster` and `files` of `facts.heartbeat.Heartbeat`."""
    sections = split(output)
    if not {"cluster", "files"} <= sections.keys():
        raise UnreadableError("Heartbeat's answer lacks a part")
    if sections["files"].status > 1:
        raise UnreadableError(f"{CONFIG} can't be read: {sections['files'].text.strip()}")
    lines = sections["files"].lines
    found = services.parse(lines)
    texts = _texts(lines)
    installed = PROGRAM in found.programs
    running = DAEMON in found.running
    cluster = parse_cluster(sections["cluster"]) if installed else None
    nodes, holds = cluster if cluster is not None and running else (None, None)
    return HeartbeatState(
        installed=installed,
        running=running,
        boot=found.boot.get(UNIT, "absent"),
        nodes=nodes,
        holds=holds,
        ha_cf=parse_ha_cf(texts["ha.cf"]) if "ha.cf" in texts else None,
        haresources=parse_haresources(texts["haresources"]) if "haresources" in texts else None,
        authkeys_mode=_mode(lines),
        outdated=running and OUTDATED in lines,
        renewed=running and RENEWED in lines,
    )


def parse_cluster(section: Section) -> tuple[dict[str, NodeState], Holds] | None:
    """Read `cl_status rscstatus` and after it `cl_status listnodes -v`.

    None: Heartbeat admits no client, or gives none an answer. A cl_status that can't be run is no
    such thing.

    Example::

        local

        otter   active  (nodetype: normal)
                /dev/ttyS1      up
                eth1    up

        weasel  active  (nodetype: normal)
                /dev/ttyS1      dead
                eth1    up
    """
    nodes = dict(_nodes(section.lines))
    holds = next(filter(_is_holds, section.lines), None)
    if section.status == 0 and nodes and holds is not None:
        return nodes, holds
    # Where it was replaced between the two questions, the first alone had no answer.
    unanswered = section.status == _NO_ANSWER or (section.status == 0 and nodes)
    if unanswered or _NOT_ADMITTED in section.text:
        return None
    said = section.text.strip() or "it said nothing"
    raise UnreadableError(f"cl_status failed with status {section.status}: {said}")


def _is_holds(word: str) -> TypeGuard[Holds]:
    return word in get_args(Holds)


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
