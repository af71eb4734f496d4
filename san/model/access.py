"""Which targets a client may see, and through which portals."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
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
    unknown = next(_unknown(cluster, index, client), None)
    if unknown is not None:
        yield unknown
    elif not any(let_in(cluster, target, client) for target in cluster.targets):
        yield Problem(
            f"clients[{index}]",
            f"no target's ACL admits {client.name}, so it has nothing to log in to; add "
            f"{client.iqn!r} to one, or take the client out",
        )


def _unknown(cluster: "Cluster", index: int, client: "Client") -> Iterator[Problem]:
    """An ACL of addresses, and a client whose address there isn't declared."""
    for target in cluster.targets:
        acl = cluster.acl_of(target)
        if isinstance(acl, Everyone) or client.iqn in acl.names:
            continue
        for portal in cluster.portals:
            subnet = IPv4Interface(portal.address).network
            apart = any(network.overlaps(subnet) for network in _networks(acl))
            if apart and not _own(portal, client) and not _from(portal, client, acl):
                yield Problem(
                    f"clients[{index}].addresses",
                    f"the ACL of {target.name} admits some of {subnet}, and whether {client.name} "
                    f"is among them isn't known; give it its address there, or {client.iqn!r} a "
                    "place in that ACL",
                )


def _from(portal: "Portal", client: "Client", acl: "Acl") -> bool:
    """Whether the address from which `client` comes to `portal` is one of `acl`.

    One that isn't declared is where all of the portal's subnet are.
    """
    known = _own(portal, client)
    if not known:
        subnet = IPv4Interface(portal.address).network
        return any(subnet.subnet_of(network) for network in _networks(acl))
    return any(address in network for address in known for network in _networks(acl))


def _own(portal: "Portal", client: "Client") -> list[IPv4Address]:
    """The client's own addresses in the portal's subnet."""
    subnet = IPv4Interface(portal.address).network
    own = (IPv4Interface(address).ip for address in client.addresses.values())
    return [address for address in own if address in subnet]


def _networks(acl: "Acl") -> list[IPv4Network]:
    return [IPv4Network(each) for each in acl.networks]
