"""Heartbeat: how the nodes hear each other, and when one takes over (ha.cf(5))."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from math import ceil

import attrs

from . import text
from .declare import a, declared, independent, many, one_of, optional, seconds, shown, whole
from .network import ip
from .problem import Problem
from .secret import Secret, a_secret

SECRET_LENGTH = (12, 64)
"""Characters in the key of authkeys: none to guess, and one that stands on a line."""


@attrs.frozen
class Ucast:
    """UDP to the peer's address on a network."""

    network: str = declared(text.token)

    @property
    def medium(self) -> str:
        """What breaks this link when it breaks."""
        return self.network


@attrs.frozen
class Bcast:
    """UDP broadcast on a network."""

    network: str = declared(text.token)

    @property
    def medium(self) -> str:
        """What breaks this link when it breaks."""
        return self.network


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
    ttl: int = declared(whole(1, 4, "a number of hops"), default=1)
    """Heartbeat doesn't start with more (mcast_parse)."""

    @property
    def medium(self) -> str:
        """What breaks this link when it breaks."""
        return self.network


_PORT = re.compile(r"/dev/(?:tty[A-Z]+[0-9]+|serial/by-(?:id|path)/.+)")


def _serial_port(value: object) -> str | None:
    sentence = text.device(value)
    if sentence is None and not _PORT.fullmatch(str(value)):
        sentence = (
            f"{shown(value)} is no serial port; write one such as /dev/ttyS0, or its name below "
            "/dev/serial"
        )
    return sentence


@attrs.frozen
class Serial:
    """A null modem cable between the nodes, on the same device of both."""

    device: str = declared(_serial_port)
    baud: int = declared(one_of(9600, 19200, 38400, 57600, 115200), default=19200)

    @property
    def medium(self) -> str:
        """What breaks this link when it breaks."""
        return self.device


@attrs.frozen
class Ping:
    """A pseudo member that both nodes ping, to tell which of them still has a network.

    It carries no heartbeats, so it does not count as a link between the nodes.
    """

    address: str = declared(ip)


PeerLink = Ucast | Bcast | Mcast | Serial
Link = PeerLink | Ping
_LINKS = (Ucast, Bcast, Mcast, Serial, Ping)


@attrs.frozen
class Watchdog:
    """A timer below the node that resets it unless Heartbeat goes on touching it.

    Heartbeat sets its time to deadtime. `module` is the kernel's driver: `softdog` for a timer of
    the kernel's own, or that of the hardware, which a hung kernel can't stop (`iTCO_wdt`,
    `ipmi_watchdog`, `i6300esb`, …; Debian loads none by itself).
    """

    module: str = declared(text.token, default="softdog")
    device: str = declared(text.watchdog, default="/dev/watchdog")


@attrs.frozen
class Heartbeat:
    """Timing in seconds, links, and the key that signs messages."""

    links: tuple[Link, ...] = declared(many(_LINKS, "links", least=1))
    keepalive: float = declared(seconds(0.1, 60), default=1)
    """Between two heartbeats."""
    warntime: float = declared(seconds(0.1, 600), default=3)
    """Silence before a late heartbeat is logged."""
    deadtime: float = declared(seconds(0.1, 3600), default=6)
    """Silence before the peer is declared dead and its resources are taken over."""
    initdead: float = declared(seconds(0.1, 3600), default=30)
    """The same for the first time after Heartbeat starts, while networks still come up."""
    udpport: int = declared(whole(1, 65535, "a UDP port"), default=694)
    secret: Secret = declared(a_secret, default=Secret("HEARTBEAT_SECRET"), repr=False)
    watchdog: Watchdog | None = declared(optional(a(Watchdog, "a Watchdog")), factory=Watchdog)
    """None: a node whose Heartbeat hangs goes on serving until somebody looks."""
    auto_failback: bool = declared(one_of(True, False), default=False)
    """Whether the preferred node takes the resources back when it returns."""

    def problems(self) -> Iterator[Problem]:
        """A key that authkeys can't carry, and more than Heartbeat's one speed of serial cables.

        `san.model.conflict` looks at the times.
        """
        return independent(self, self._key(), self._speeds())

    def _key(self) -> Iterator[Problem]:
        yield from self.secret.unfit("Heartbeat's key", *SECRET_LENGTH)

    def _speeds(self) -> Iterator[Problem]:
        speeds = sorted({link.baud for link in self.links if isinstance(link, Serial)})
        if len(speeds) > 1:
            found = " and ".join(map(str, speeds))
            yield Problem(
                "links",
                f"serial cables at {found} baud: Heartbeat has one speed for all; write one",
            )

    @property
    def reset_after(self) -> int:
        """Seconds of its own silence after which the watchdog resets a node.

        Heartbeat sets it to its deadtime and 10 ms, in whole seconds, rounded up (heartbeat 3.0.6,
        hb_init_watchdog_interval); it is given 10 ms less.
        """
        return ceil(self.deadtime)

    @property
    def declared_deadtime(self) -> float:
        """The deadtime in ha.cf, in seconds: with a watchdog, what makes it fire at `deadtime`."""
        return self.deadtime if self.watchdog is None else round(self.deadtime - 0.01, 3)

    @property
    def peer_links(self) -> tuple[PeerLink, ...]:
        """The links that carry heartbeats between the nodes."""
        return tuple(link for link in self.links if not isinstance(link, Ping))
