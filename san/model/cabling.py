"""A cluster's wiring: whether networks, addresses, links and portals fit together."""

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING

import attrs

from .declare import duplicates
from .heartbeat import Ping, Serial
from .problem import Problem

if TYPE_CHECKING:
    from .cluster import Cluster


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """What is wrong between the networks, the hosts' addresses, the links and the portals."""
    yield from _networks(cluster)
    yield from _addresses(cluster)
    yield from _links(cluster)
    yield from _portals(cluster)


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
    for index, host in enumerate(cluster.hosts):
        count = len(cluster.nodes)
        place = f"nodes[{index}]" if index < count else f"clients[{index - count}]"
        for network, address in host.addresses.items():
            path = f"{place}.addresses[{network!r}]"
            yield OwnAddress(path, host.name, network, address)


def joined(cluster: "Cluster", network: str, path: str) -> Iterator[Problem]:
    """Whether `network`, named at `path`, has an address of both nodes."""
    if network not in {known.name for known in cluster.networks}:
        yield Problem(path, f"there is no network {network!r}; declare it, or name another")
        return
    for node in cluster.nodes:
        if network not in node.addresses:
            yield Problem(path, f"{node.name} has no address on {network}; give it one")


def _networks(cluster: "Cluster") -> Iterator[Problem]:
    hosts = {host.name: host for host in cluster.hosts}
    clients = {client.name for client in cluster.clients}
    twice = {
        name: None
        for host in hosts.values()
        for name in duplicates(
            network.interface_on(host.name)
            for network in cluster.networks
            if host.name not in clients or network.name in host.addresses
        )
    }
    for name in twice:
        yield Problem("networks", f"{name!r} is the interface of two networks; give each its own")
    for index, network in enumerate(cluster.networks):
        for unknown in network.interfaces.keys() - hosts.keys():
            yield Problem(
                f"networks[{index}].interfaces",
                f"there is no host {unknown!r}; name a node or a client",
            )
        if network.role != "management" and network.subnet is None:
            yield Problem(f"networks[{index}].subnet", "it is missing; write its subnet")
    for (_, one), (index, two) in combinations(enumerate(cluster.networks), 2):
        if one.subnet and two.subnet and IPv4Network(one.subnet).overlaps(IPv4Network(two.subnet)):
            yield Problem(
                f"networks[{index}].subnet",
                f"{two.subnet} overlaps {one.name}'s {one.subnet}; a subnet has one interface",
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
        elif network.subnet and not network.holds(own.address):
            yield Problem(
                own.path,
                f"{own.address} is not of {network.name}'s subnet {network.subnet}; "
                "change one of them",
            )
        other = seen.setdefault((own.network, own.ip), own.host)
        if other != own.host:
            yield Problem(own.path, f"{own.ip} is {other}'s address too; give each its own")


def _links(cluster: "Cluster") -> Iterator[Problem]:
    own = {one.ip: one.host for one in own_addresses(cluster)}
    own |= {portal.ip: "the portal" for portal in cluster.portals}
    for index, link in enumerate(cluster.heartbeat.links):
        path = f"heartbeat.links[{index}]"
        if link in cluster.heartbeat.links[:index]:
            yield Problem(path, "it is there twice; remove one")
        if isinstance(link, Ping):
            if link.address in own:
                yield Problem(
                    f"{path}.address",
                    f"{link.address} is {own[link.address]}'s own; ping a switch or a router, "
                    "which answers whichever node is down",
                )
        elif not isinstance(link, Serial):
            yield from joined(cluster, link.network, f"{path}.network")


def _portals(cluster: "Cluster") -> Iterator[Problem]:
    own = {one.ip: one.host for one in own_addresses(cluster)}
    subnets = ", ".join(net.subnet for net in cluster.storage_networks if net.subnet) or "none"
    for index, portal in enumerate(cluster.portals):
        path = f"portals[{index}].address"
        if not any(network.holds(portal.address) for network in cluster.storage_networks):
            yield Problem(
                path, f"{portal.address} is outside every storage network's subnet ({subnets})"
            )
        if portal.ip in own:
            yield Problem(
                path, f"{portal.ip} is {own[portal.ip]}'s own address; a portal needs its own"
            )
    for (i, one), (j, two) in combinations(enumerate(cluster.portals), 2):
        if IPv4Interface(one.address).network.overlaps(IPv4Interface(two.address).network):
            yield Problem(
                f"portals[{j}].address",
                f"{two.address} overlaps portals[{i}] ({one.address}): on one subnet the two "
                "paths of multipath are one; use separate subnets",
            )
