"""Networks, and the floating addresses on them."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import attrs

from . import text
from .declare import declared, mapping, one_of, optional, shown, whole
from .problem import Problem

PREFIX_LENGTHS = range(8, 32)
"""Of a subnet that two hosts share: no route to everything, and no single host."""

MTU = (576, 65520)
"""Bytes: from what each IPv4 host must take (RFC 791) to the most of an interface (IPoIB)."""


def subnet(value: object) -> str | None:
    """An IPv4 network with its prefix length, such as 192.168.1.0/24."""
    try:
        network = IPv4Interface(value if isinstance(value, str) else "").network
    except ValueError:
        return f"{shown(value)} is not an IPv4 network such as 192.168.1.0/24"
    if network.prefixlen not in PREFIX_LENGTHS or not _hostlike(network.network_address):
        return f"{shown(value)} is not a subnet of hosts; its prefix is from /8 to /31"
    if str(network) != value:
        return f"{shown(value)} is not in plain form; its network is {network}"
    return None


def address(value: object) -> str | None:
    """An IPv4 address of a host, with its prefix length, such as 192.168.1.1/24."""
    try:
        own = IPv4Interface(value if isinstance(value, str) and "/" in value else "")
    except ValueError:
        return f"{shown(value)} is not an IPv4 address with a prefix, such as 192.168.1.1/24"
    network = own.network
    if network.prefixlen not in PREFIX_LENGTHS or not _hostlike(own.ip):
        return f"{shown(value)} is not a host's address in a subnet from /8 to /31"
    edges = (network.network_address, network.broadcast_address)
    if network.prefixlen < PREFIX_LENGTHS[-1] and own.ip in edges:  # RFC 3021: /31 has no edges
        return f"{shown(value)} is the network's own or its broadcast address, not a host's"
    if str(own) != value:
        return f"{shown(value)} is not in plain form; write {own}"
    return None


def ip(value: object) -> str | None:
    """An IPv4 address of a host, without a prefix."""
    try:
        if isinstance(value, str) and _hostlike(IPv4Address(value)):
            return None
    except ValueError:
        pass
    return f"{shown(value)} is not a host's IPv4 address without a prefix, such as 192.168.1.254"


def _hostlike(one: IPv4Address) -> bool:
    return not (one.is_multicast or one.is_loopback or one.is_reserved or one.packed[0] == 0)


_interfaces = mapping(text.hostname, text.interface, "an interface's name for each host by name")


@attrs.frozen
class Network:
    """A network of the cluster: the interface that every host has on it, and its subnet.

    `role` is `management` (left as it is found), `replication` (DRBD and Heartbeat) or `storage`
    (a path of the clients to the portals).
    """

    name: str = declared(text.token)
    interface: str = declared(text.interface)
    role: str = declared(one_of("management", "replication", "storage"))
    subnet: str | None = declared(optional(subnet), default=None)
    mtu: int | None = declared(optional(whole(*MTU, "an MTU in bytes")), default=None)
    """Bytes of a packet, on every host; None leaves the interface's own."""
    interfaces: Mapping[str, str] = declared(_interfaces, factory=dict)
    """The interface's name on a host that calls it otherwise, by host."""

    def problems(self) -> Iterator[Problem]:
        """What can't be asked of a network that is left as it is found."""
        if self.role == "management" and self.mtu is not None:
            yield Problem("mtu", "a management network is left as it is found; remove its mtu")

    def interface_on(self, host: str) -> str:
        """What `host` calls the interface."""
        return self.interfaces.get(host, self.interface)

    def cable_on(self, host: str) -> str:
        """The interface below: VLANs such as `bond0.10` break with it, and together."""
        return self.interface_on(host).partition(".")[0]

    def holds(self, address: str) -> bool:
        """Whether `address`, with its prefix, is of this network's subnet."""
        return self.subnet is not None and IPv4Interface(address).network == IPv4Network(
            self.subnet
        )


@attrs.frozen
class Portal:
    """A floating address that the clients connect to; it moves with the target."""

    address: str = declared(address)
    """With its prefix length: 192.168.1.1/24."""

    @property
    def ip(self) -> str:
        """The address without its prefix."""
        return str(IPv4Interface(self.address).ip)
