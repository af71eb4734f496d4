"""A cluster's wiring: whether networks, addresses, links and portals fit together."""

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING

import attrs

from .declare import duplicates, independent, is_sound, sound
from .heartbeat import Bcast, Link, Ping, Serial
from .network import PREFIX_LENGTHS, Portal
from .problem import Problem
from .warning import PORTALS_SHARE_SUBNET

if TYPE_CHECKING:
    from .cluster import Cluster


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """What is wrong between the networks, the hosts' addresses, the links and the portals."""
    yield from independent(
        cluster,
        _interfaces(cluster),
        _interfaces_of_hosts(cluster),
        _subnets(cluster),
        _overlaps(cluster),
        _addresses(cluster),
        _links(cluster),
        _portals(cluster),
        _subnets_of_portals(cluster),
    )


@attrs.frozen
class OwnAddress:
    """An address that a host keeps, whoever serves."""

    path: str
    """Where it stands in the cluster."""
    host: str
    network: str
    address: str

    @property
    def ip(self) -> str:
        """The address without its prefix."""
        return str(IPv4Interface(self.address).ip)


def own_addresses(cluster: "Cluster") -> Iterator[OwnAddress]:
    """Each own address of each host."""
    for place, host in cluster.places:
        if is_sound(host) and is_sound(host.addresses):
            for network, address in host.addresses.items():
                if is_sound(address):
                    yield OwnAddress(f"{place}.addresses[{network!r}]", host.name, network, address)


def subnets(cluster: "Cluster") -> dict[str, IPv4Network]:
    """The subnet of each network: as declared, else that of the hosts' own addresses there."""
    found = {own.network: IPv4Interface(own.address).network for own in own_addresses(cluster)}
    for network in cluster.networks:
        if is_sound(network) and is_sound(network.subnet) and network.subnet is not None:
            found[network.name] = IPv4Network(network.subnet)
    return found


def joined(cluster: "Cluster", network: str, path: str) -> Iterator[Problem]:
    """Whether `network`, named at `path`, has an address of both nodes."""
    if network not in {known.name for known in cluster.networks}:
        yield Problem(path, f"there is no network {network!r}; declare it, or name another")
        return
    for node in cluster.nodes:
        if network not in node.addresses:
            yield Problem(path, f"{node.name} has no address on {network}; give it one")


def _interfaces(cluster: "Cluster") -> Iterator[Problem]:
    clients = set(sound(cluster.clients, "name"))
    twice = {
        name: None
        for host in filter(is_sound, cluster.hosts)
        for name in duplicates(
            network.interface_on(host.name)
            for network in cluster.networks
            if host.name not in clients or network.name in host.addresses
        )
    }
    for name in twice:
        yield Problem("networks", f"{name!r} is the interface of two networks; give each its own")


def _interfaces_of_hosts(cluster: "Cluster") -> Iterator[Problem]:
    hosts = {host.name for host in cluster.hosts}
    for index, network in enumerate(cluster.networks):
        for unknown in sorted(network.interfaces.keys() - hosts):
            yield Problem(
                f"networks[{index}].interfaces",
                f"there is no host {unknown!r}; name a node or a client",
            )


def _subnets(cluster: "Cluster") -> Iterator[Problem]:
    for index, network in enumerate(cluster.networks):
        if network.role != "management" and network.subnet is None:
            yield Problem(f"networks[{index}].subnet", "it is missing; write its subnet")


def _overlaps(cluster: "Cluster") -> Iterator[Problem]:
    known = [
        (index, network.name, IPv4Network(network.subnet))
        for index, network in enumerate(cluster.networks)
        if is_sound(network) and is_sound(network.subnet) and network.subnet
    ]
    for (_, name, one), (index, _, two) in combinations(known, 2):
        if one.overlaps(two):
            yield Problem(
                f"networks[{index}].subnet",
                f"{two} overlaps {name}'s {one}; a subnet has one interface",
            )


def _addresses(cluster: "Cluster") -> Iterator[Problem]:
    networks = {network.name: network for network in cluster.networks}
    seen: dict[tuple[str, str], str] = {}
    for own in own_addresses(cluster):
        network = networks.get(own.network)
        if network is None:
            yield Problem(
                own.path, f"there is no network {own.network!r}; declare it, or name another"
            )
        elif is_sound(network.subnet) and network.subnet and not network.holds(own.address):
            yield Problem(
                own.path,
                f"{own.address} is not of {network.name}'s subnet {network.subnet}; "
                "change one of them",
            )
        other = seen.setdefault((own.network, own.ip), own.host)
        if other != own.host:
            yield Problem(own.path, f"{own.ip} is {other}'s address too; give each its own")


def _links(cluster: "Cluster") -> Iterator[Problem]:
    links = cluster.heartbeat.links
    yield from independent(cluster, *(_link(cluster, index) for index in range(len(links))))


def _link(cluster: "Cluster", index: int) -> Iterator[Problem]:
    path = f"heartbeat.links[{index}]"
    link = cluster.heartbeat.links[index]
    before = [each for each in cluster.heartbeat.links[:index] if is_sound(each)]
    if _same(link) in map(_same, before):
        yield Problem(path, "it is there twice; remove one")
    if isinstance(link, Ping):
        own = {one.ip: one.host for one in own_addresses(cluster)}
        own |= {portal.ip: "the portal" for portal in cluster.portals}
        if link.address in own:
            yield Problem(
                f"{path}.address",
                f"{link.address} is {own[link.address]}'s own; ping a switch or a router, "
                "which answers whichever node is down",
            )
    elif not isinstance(link, Serial):
        yield from joined(cluster, link.network, f"{path}.network")
        subnet = subnets(cluster).get(link.network)
        if isinstance(link, Bcast) and subnet and subnet.prefixlen == PREFIX_LENGTHS[-1]:
            yield Problem(
                f"{path}.network",
                f"{link.network} is {subnet}, where nothing can be broadcast: a /31 has no such "
                "address (RFC 3021); write Ucast, or a subnet of at most /30",
            )


def _same(link: Link) -> object:
    """What two links can't share: a serial device has one speed."""
    return (Serial, link.device) if isinstance(link, Serial) else link


def _portals(cluster: "Cluster") -> Iterator[Problem]:
    yield from independent(
        cluster, *(_portal(cluster, *each) for each in enumerate(cluster.portals))
    )


def _portal(cluster: "Cluster", index: int, portal: Portal) -> Iterator[Problem]:
    path = f"portals[{index}].address"
    own = {one.ip: one.host for one in own_addresses(cluster)}
    if portal.ip in own:
        yield Problem(
            path, f"{portal.ip} is {own[portal.ip]}'s own address; a portal needs its own"
        )
    if not any(network.holds(portal.address) for network in cluster.storage_networks):
        subnets = ", ".join(net.subnet for net in cluster.storage_networks if net.subnet) or "none"
        yield Problem(
            path, f"{portal.address} is outside every storage network's subnet ({subnets})"
        )


def _subnets_of_portals(cluster: "Cluster") -> Iterator[Problem]:
    known = [(i, each) for i, each in enumerate(cluster.portals) if is_sound(each.address)]
    for (i, one), (j, two) in combinations(known, 2):
        networks = IPv4Interface(one.address).network, IPv4Interface(two.address).network
        apart = networks[0] == networks[1] and one.ip != two.ip
        if not networks[0].overlaps(networks[1]) or (
            apart and PORTALS_SHARE_SUBNET in cluster.acknowledged
        ):
            continue
        accept = f", or accept it with acknowledged=({PORTALS_SHARE_SUBNET!r},)" if apart else ""
        yield Problem(
            f"portals[{j}].address",
            f"{two.address} overlaps portals[{i}] ({one.address}): on one subnet the two "
            f"paths of multipath are one; use separate subnets{accept}",
        )
