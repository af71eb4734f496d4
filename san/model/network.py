"""Networks, and the floating addresses on them."""

from ipaddress import IPv4Interface, IPv4Network

import attrs

from . import text
from .declare import declared, one_of, optional, shown


def subnet(value: object) -> str | None:
    """An IPv4 network with its prefix length, such as 192.168.1.0/24."""
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        IPv4Network(value)
    except ValueError:
        return f"{shown(value)} is not an IPv4 network such as 192.168.1.0/24"
    return None


def address(value: object) -> str | None:
    """An IPv4 address of a host, with its prefix length, such as 192.168.1.1/24."""
    try:
        if not isinstance(value, str) or "/" not in value:
            raise ValueError
        parsed = IPv4Interface(value)
    except ValueError:
        return f"{shown(value)} is not an IPv4 address with a prefix, such as 192.168.1.1/24"
    if parsed.network.prefixlen < 31 and parsed.ip in (  # noqa: PLR2004 (RFC 3021: /31 and /32 have neither)
        parsed.network.network_address,
        parsed.network.broadcast_address,
    ):
        return f"{shown(value)} is the network's own or its broadcast address, not a host's"
    return None


@attrs.frozen
class Network:
    """A network of the cluster: the interface that every node has on it, and its subnet.

    `role` is `management` (left as it is found), `replication` (DRBD and Heartbeat) or `storage`
    (a path of the clients to the portals).
    """

    name: str = declared(text.token)
    interface: str = declared(text.interface)
    role: str = declared(one_of("management", "replication", "storage"))
    subnet: str | None = declared(optional(subnet), default=None)

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
