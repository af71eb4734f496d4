"""Heartbeat: how the nodes hear each other, and when one takes over (ha.cf(5))."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import attrs

from . import text
from .declare import a, between, declared, many, one_of, shown
from .problem import Problem
from .secret import Secret


@attrs.frozen
class Ucast:
    """UDP to the peer's address on a network."""

    network: str = declared(text.token)


@attrs.frozen
class Bcast:
    """UDP broadcast on a network."""

    network: str = declared(text.token)


def _multicast(value: object) -> str | None:
    try:
        if isinstance(value, str) and IPv4Address(value).is_multicast:
            return None
    except ValueError:
        pass
    return f"{shown(value)} is not an IPv4 multicast address such as 239.0.0.42"


@attrs.frozen
class Mcast:
    """UDP multicast on a network."""

    network: str = declared(text.token)
    group: str = declared(_multicast)
    ttl: int = declared(between(1, 255, "hops"), default=1)


@attrs.frozen
class Serial:
    """A null modem cable between the nodes, on the same device of both."""

    device: str = declared(text.path)
    baud: int = declared(one_of(9600, 19200, 38400, 57600, 115200), default=19200)


def _host(value: object) -> str | None:
    try:
        if isinstance(value, str):
            IPv4Address(value)
            return None
    except ValueError:
        pass
    return f"{shown(value)} is not an IPv4 address"


@attrs.frozen
class Ping:
    """A pseudo member that both nodes ping, to tell which of them still has a network.

    It carries no heartbeats, so it does not count as a link between the nodes.
    """

    address: str = declared(_host)


Link = Ucast | Bcast | Mcast | Serial | Ping
_LINKS = (Ucast, Bcast, Mcast, Serial, Ping)


@attrs.frozen
class Heartbeat:
    """Timing in seconds, links, and the key that signs messages."""

    links: tuple[Link, ...] = declared(many(_LINKS, "links", least=1))
    keepalive: float = declared(between(0.1, 60, "seconds"), default=1)
    """Between two heartbeats."""
    warntime: float = declared(between(0.1, 600, "seconds"), default=3)
    """Silence before a late heartbeat is logged."""
    deadtime: float = declared(between(0.1, 3600, "seconds"), default=6)
    """Silence before the peer is declared dead and its resources are taken over."""
    initdead: float = declared(between(0.1, 3600, "seconds"), default=30)
    """The same for the first time after Heartbeat starts, while networks still come up."""
    udpport: int = declared(between(1, 65535, "a UDP port"), default=694)
    secret: Secret = declared(a(Secret, "a Secret"), default=Secret("HEARTBEAT_SECRET"))
    auto_failback: bool = declared(a(bool, "True or False"), default=False)
    """Whether the preferred node takes the resources back when it returns."""

    def problems(self) -> Iterator[Problem]:
        """Timing that declares a living peer dead."""
        times = ("keepalive", "warntime", "deadtime", "initdead")
        for shorter, longer in zip(times, times[1:], strict=False):
            if not getattr(self, shorter) < getattr(self, longer):
                yield Problem(
                    longer,
                    f"{getattr(self, longer)} s is not above {shorter} "
                    f"({getattr(self, shorter)} s); keep keepalive < warntime < deadtime < initdead",
                )
        if self.deadtime < self.initdead < 2 * self.deadtime:
            yield Problem(
                "initdead",
                f"{self.initdead} s is less than twice deadtime ({self.deadtime} s), which a "
                "booting network needs (ha.cf(5))",
            )

    @property
    def peer_links(self) -> tuple[Link, ...]:
        """The links that carry heartbeats between the nodes."""
        return tuple(link for link in self.links if not isinstance(link, Ping))
