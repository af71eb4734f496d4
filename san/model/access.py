"""Which targets a client may see, and through which portals."""

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from .declare import independent
from .problem import Problem

if TYPE_CHECKING:
    from .cluster import Client, Cluster
    from .network import Portal
    from .target import Acl, Target


def let_in(cluster: "Cluster", target: "Target", client: "Client") -> tuple["Portal", ...]:
    """The portals through which `target` admits `client`."""
    acl = target.acl
    if acl is None or client.iqn in acl.names:
        return cluster.portals
    return tuple(portal for portal in cluster.portals if _from(portal, client, acl))


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """Clients that no target admits."""
    yield from independent(
        cluster, *(_client(cluster, *each) for each in enumerate(cluster.clients))
    )


def _client(cluster: "Cluster", index: int, client: "Client") -> Iterator[Problem]:
    if not any(let_in(cluster, target, client) for target in cluster.targets):
        yield Problem(
            f"clients[{index}]",
            f"no target's ACL admits {client.name}, so it has nothing to log in to; add "
            f"{client.iqn!r} to one, or take the client out",
        )


def _from(portal: "Portal", client: "Client", acl: "Acl") -> bool:
    """Whether the address from which `client` comes to `portal` is one of `acl`.

    One that isn't declared may be.
    """
    subnet = IPv4Interface(portal.address).network
    own = (IPv4Interface(address).ip for address in client.addresses.values())
    known = [address for address in own if address in subnet]
    networks = [IPv4Network(each) for each in acl.networks]
    if not known:
        return any(network.overlaps(subnet) for network in networks)
    return any(address in network for address in known for network in networks)
