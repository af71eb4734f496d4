"""ha.cf as Heartbeat reads it (ha.cf(5)): timing, links, nodes."""

import re
from collections.abc import Iterator
from typing import Literal, TypeGuard, get_args

import attrs

from .sections import UnreadableError

LinkKind = Literal["ucast", "bcast", "mcast", "serial", "ping", "ping_group", "ucast6", "mcast6"]

_TIME = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)", re.IGNORECASE)
_SECONDS = {
    "": 1.0,
    **dict.fromkeys(("us", "usec"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("s", "sec"), 1.0),
    **dict.fromkeys(("m", "min"), 60.0),
    **dict.fromkeys(("h", "hr"), 3600.0),
}
_TRUE = {"true", "on", "yes", "y", "1"}
_FALSE = {"false", "off", "no", "n", "0"}
_EACH = {"bcast", "serial", "ping"}
"""Directives of which each argument is a link of its own."""


@attrs.frozen
class HaLink:
    """One way in which the nodes, or a node and a ping host, hear each other."""

    kind: LinkKind
    arguments: tuple[str, ...]
    """As written: ('eth1', '10.0.0.2') of ucast, ('/dev/ttyS0',) of serial, ('10.0.0.254',) of
    ping, ('eth1', '239.0.0.1', '694', '1', '0') of mcast."""


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
    """Read ha.cf. A later directive replaces an earlier one; `node` and links add up.

    Raises UnreadableError for a value that Heartbeat refuses to start with. Directives that say
    nothing of links, timing or nodes are passed over.
    """
    values: dict[str, float | int | bool | str] = {}
    links: list[HaLink] = []
    nodes: list[str] = []
    stonith_hosts: list[tuple[str, str]] = []
    for number, directive, arguments in _directives(text):
        try:
            if directive == "node":
                nodes += arguments
            elif _is_link(directive):
                links += _links(directive, arguments)
            elif directive in {"keepalive", "warntime", "deadtime", "initdead"}:
                values[directive] = _seconds(arguments[0])
            elif directive in {"udpport", "baud"}:
                values[directive] = int(arguments[0])
            elif directive == "auto_failback":
                legacy = arguments[0].lower() == "legacy"
                values[directive] = "legacy" if legacy else _boolean(arguments[0])
            elif directive == "stonith_host":
                stonith_hosts.append((arguments[0].lower(), arguments[1]))
            elif directive in {"pacemaker", "crm"}:
                values["pacemaker"] = arguments[0].lower() not in _FALSE
        except (ValueError, IndexError):
            raise UnreadableError(
                f"ha.cf line {number}: {' '.join([directive, *arguments])!r} has no value that "
                "Heartbeat takes"
            ) from None
    return HaCf(
        links=tuple(links),
        nodes=tuple(nodes),
        stonith_hosts=tuple(stonith_hosts),
        **values,  # type: ignore[arg-type]  # by name
    )


def _directives(text: str) -> Iterator[tuple[int, str, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"(^|\s)#.*", "", line).split()
        if words:
            yield number, words[0], words[1:]


def _is_link(directive: str) -> TypeGuard[LinkKind]:
    return directive in get_args(LinkKind)


def _links(kind: LinkKind, arguments: list[str]) -> Iterator[HaLink]:
    if not arguments:
        raise ValueError(kind)
    if kind in _EACH:
        for argument in arguments:
            yield HaLink(kind, (argument,))
    else:
        yield HaLink(kind, tuple(arguments))


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    if found is None or found[2].lower() not in _SECONDS:
        raise ValueError(text)
    return float(found[1]) * _SECONDS[found[2].lower()]


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(text)
