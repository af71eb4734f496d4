"""Which targets a client may see, and through which portals."""

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from .declare import independent
from .problem import Problem
from .target import Everyone
from .warning import LOST_RESERVATIONS

if TYPE_CHECKING:
    from .cluster import Client, Cluster
    from .network import Portal
    from .target import Acl, Target


def let_in(cluster: "Cluster", target: "Target", client: "Client") -> tuple["Portal", ...]:
    """The portals through which `target` admits `client`."""
    acl = cluster.acl_of(target)
    if isinstance(acl, Everyone) or client.iqn in acl.names:
        return cluster.portals
    return tuple(portal for portal in cluster.portals if _from(portal, client, acl))


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """Targets that admit nobody, clients that none admits, and what no target keeps for them."""
    yield from independent(
        cluster,
        *(_target(cluster, *each) for each in enumerate(cluster.targets)),
        *(_client(cluster, *each) for each in enumerate(cluster.clients)),
        *(_reservations(cluster, *each) for each in enumerate(cluster.clients)),
    )


def _target(cluster: "Cluster", index: int, target: "Target") -> Iterator[Problem]:
    if target.acl is None and not cluster.clients:
        yield Problem(
            f"targets[{index}].acl",
            "nobody could log in: without an Acl the inventory's clients may, and it has none; "
            "declare a Client, an Acl, or Everyone()",
        )


def _reservations(cluster: "Cluster", index: int, client: "Client") -> Iterator[Problem]:
    if client.reservations and LOST_RESERVATIONS not in cluster.acknowledged:
        yield Problem(
            f"clients[{index}].reservations",
            f"{client.name} relies on SCSI-3 reservations, and a takeover drops them (STGT keeps "
            "them in memory): a host that was shut out may write again; accept it with "
            f"acknowledged=({LOST_RESERVATIONS!r},)",
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
