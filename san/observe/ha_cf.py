"""ha.cf as Heartbeat 3.0.6 reads it (ha.cf(5), and parse_config in heartbeat/config.c)."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, TypeGuard, get_args

import attrs

from .sections import UnreadableError

LinkKind = Literal[
    "ucast", "bcast", "mcast", "serial", "ping", "ping_group", "ucast6", "mcast6", "ping6"
]

UDPPORT = 694
"""Where no `udpport` comes before a link (UDPPORT in heartbeat.h)."""
BAUD = 19200
"""Where no `baud` comes before a serial link (DEFAULTBAUDSTR)."""
KEEPALIVE = 1.0
"""Seconds between two heartbeats, where ha.cf doesn't say."""
DEADTIME = 30.0
"""Seconds of silence, where ha.cf doesn't say."""

_TIME = re.compile(r"(?=[\d.])(?P<number>\d*\.?\d*)[\d.]*(?P<unit>.*)")
_MILLISECONDS = {
    "": 1000.0,
    **dict.fromkeys(("s", "sec"), 1000.0),
    **dict.fromkeys(("m", "min"), 60_000.0),
    **dict.fromkeys(("h", "hr"), 3_600_000.0),
}
"""By unit. cluster-glue 1.0.12 takes `ms`, `us` and none; ha.cf(5) has the others, too."""
_NUMBER = re.compile(r"\s*([+-]?\d+)")
"""What atoi(3) reads of a word."""
_TRUE = {"true", "on", "yes", "y", "1"}
_FALSE = {"false", "off", "no", "n", "0"}
_WORDS: Mapping[str, int] = {"ucast": 2, "ucast6": 2, "mcast": 5, "mcast6": 5, "ping_group": 2}
"""Links of a whole line each, and the words that Heartbeat wants there. White space parts them; all
else is parted by commas, too, and each word is a value, or a link, of its own."""


@attrs.frozen
class HaLink:
    """One way in which the nodes, or a node and a ping host, hear each other."""

    kind: LinkKind
    arguments: tuple[str, ...]
    """As written: ('eth1', '10.0.0.2') of ucast, ('/dev/ttyS0',) of serial, ('10.0.0.254',) of
    ping, ('eth1', '239.0.0.1', '694', '1', '0') of mcast."""
    rate: int | None = attrs.field(default=None, eq=False)
    """The UDP port, or a serial link's baud rate: what was set when Heartbeat met its first link of
    that kind. None of pings, and of multicast, which has its port among the arguments."""

    @property
    def name(self) -> str | None:
        """What Heartbeat calls it: the interface, or the device; None of pings."""
        return None if self.kind.startswith("ping") else self.arguments[0]


@attrs.frozen
class HaCf:
    """What ha.cf says; None where it says nothing and Heartbeat takes its default."""

    keepalive: float | None = None
    """Seconds, as are all times."""
    warntime: float | None = None
    deadtime: float | None = None
    initdead: float | None = None
    udpport: int | None = None
    baud: int | None = None
    auto_failback: bool | Literal["legacy"] | None = None
    links: tuple[HaLink, ...] = ()
    """In order, all kinds."""
    nodes: tuple[str, ...] = ()
    stonith_hosts: tuple[tuple[str, str], ...] = ()
    """Who may use which plugin: the node, or `*` for each. Of several for a node Heartbeat 3.0.6
    keeps the last. Parameters are left out: they may hold a password."""
    pacemaker: bool = False
    """Whether Pacemaker, not haresources, manages the resources (`pacemaker` or `crm`)."""


def parse_ha_cf(text: str) -> HaCf:
    """Read ha.cf. A later value replaces an earlier one; `node` and links add up.

    Raises UnreadableError for a value that Heartbeat refuses to start with. A directive without a
    value says nothing; those that say nothing of links, timing or nodes are passed over.
    """
    found = _Reading()
    for number, directive, rest in _directives(text):
        try:
            found.take(directive, rest)
        except ValueError:
            raise UnreadableError(
                f"ha.cf line {number}: {' '.join([directive, *rest.split()])!r} has no value that "
                "Heartbeat takes"
            ) from None
    return HaCf(
        links=tuple(found.links),
        nodes=tuple(found.nodes),
        stonith_hosts=tuple(found.stonith_hosts),
        **found.values,  # type: ignore[arg-type]  # by name
    )


def _directives(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, directive and the rest; a comment begins anywhere, in the middle of a word, too."""
    for number, line in enumerate(text.split("\n"), 1):
        words = re.split(r"[#\r]", line, maxsplit=1)[0].lstrip(" \t\f").split(maxsplit=1)
        if words:
            directive = "bcast" if words[0] == "udp" else words[0]
            yield number, directive, words[1].lstrip(", \t\f") if len(words) > 1 else ""


@attrs.define
class _Reading:
    """What was read so far."""

    values: dict[str, float | int | bool | str] = attrs.field(factory=dict)
    links: list[HaLink] = attrs.field(factory=list)
    nodes: list[str] = attrs.field(factory=list)
    stonith_hosts: list[tuple[str, str]] = attrs.field(factory=list)

    def take(self, directive: str, rest: str) -> None:
        """Take a line. Raises ValueError where Heartbeat wouldn't."""
        if directive in _WORDS and _is_link(directive):
            words = rest.split()[: None if directive == "ping_group" else _WORDS[directive]]
            if len(words) < _WORDS[directive]:
                raise ValueError(rest)
            self._link(directive, *words)
        elif directive == "stonith_host":
            # Another node's line may lack the rest: Heartbeat reads no further.
            if len(words := rest.split()) > 1:
                self.stonith_hosts.append((words[0].lower(), words[1]))
        elif directive == "stonith":
            if not rest:
                raise ValueError(rest)
            self.stonith_hosts.append(("*", rest.split(maxsplit=1)[0]))
        else:
            for word in re.split(r"[,\s]+", rest.strip(", \t\f")):
                if word:
                    self._value(directive, word)

    def _value(self, directive: str, word: str) -> None:
        if _is_link(directive):
            self._link(directive, word)
        elif directive == "node":
            self.nodes.append(word.lower())
        elif directive in {"keepalive", "warntime", "deadtime", "initdead"}:
            self.values[directive] = _seconds(word)
        elif directive in {"udpport", "baud"}:
            self.values[directive] = _whole(word)
        elif directive == "auto_failback":
            legacy = word.lower() == "legacy"
            self.values[directive] = "legacy" if legacy else _boolean(word)
        elif directive == "nice_failback":
            # Obsolete: off where auto_failback has said on or off before, else legacy.
            _boolean(word)
            said = self.values.get("auto_failback", "legacy")
            self.values["auto_failback"] = said if said == "legacy" else False
        elif directive in {"pacemaker", "crm"}:
            self.values["pacemaker"] = word.lower() not in _FALSE

    def _link(self, kind: LinkKind, *words: str) -> None:
        rate = next((link.rate for link in self.links if link.kind == kind), None)
        if rate is None and kind == "serial":
            rate = int(self.values.get("baud", BAUD))
        elif rate is None and kind in {"bcast", "ucast", "ucast6"}:
            rate = int(self.values.get("udpport", UDPPORT))
        self.links.append(HaLink(kind, words, rate))


def _is_link(directive: str) -> TypeGuard[LinkKind]:
    return directive in get_args(LinkKind)


def _seconds(text: str) -> float:
    """A time in whole milliseconds, as cl_get_msec of cluster-glue has it."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    number = 0.0 if found["number"] == "." else float(found["number"])
    unit = found["unit"].lower()
    if unit.startswith(("ms", "us")):  # whatever follows
        each = 1.0 if unit.startswith("ms") else 0.001
    elif unit in _MILLISECONDS:
        each = _MILLISECONDS[unit]
    else:
        raise ValueError(text)
    return int(number * each + 0.5) / 1000


def _whole(text: str) -> int:
    found = _NUMBER.match(text)
    if found is None or int(found[1]) <= 0:
        raise ValueError(text)
    return int(found[1])


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(text)
