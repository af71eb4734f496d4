"""Clusters and hosts side by side: what no two of a site may share."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING

import attrs

from .cabling import own_addresses, subnets
from .connection import reached
from .declare import independent, is_sound, sound
from .heartbeat import Bcast, Mcast
from .problem import Problem
from .storage import TAKEN_PORTS

if TYPE_CHECKING:
    from .cluster import Client, Cluster, Node
    from .site import Site


def problems(site: "Site") -> Iterator[Problem]:
    """What is wrong between the clusters of `site`, and between how their hosts are reached."""
    clusters = [(index, each) for index, each in enumerate(site.clusters) if is_sound(each)]
    yield from independent(
        site,
        _shared(
            site,
            lambda one: sound([one], "name"),
            "{what!r} is there twice; give each cluster its own name",
        ),
        _shared(
            site,
            lambda one: (name.lower() for name in sound(one.hosts, "name")),
            "{what!r} is in two clusters, {names}; a host belongs to one",
        ),
        _shared(
            site,
            lambda one: (iqn.lower() for iqn in one.iscsi_names),
            "{what!r} is in two clusters, {names}; each iSCSI name is unique",
        ),
        _shared(
            site,
            lambda one: one.storage_addresses,
            "{what} is a storage address of two clusters, {names}; change one",
        ),
        _shared(
            site,
            _inner_addresses,
            "{what} is a host's address in two clusters, {names}; change one: by a cable in the "
            "wrong place, one cluster's nodes would meet the other's",
        ),
        _shared(
            site,
            lambda one: (
                each
                for target in one.targets
                for each in sound(target.luns, "scsi_id")
                if each is not None
            ),
            "{what!r} is the scsi_id of a LUN in two clusters, {names}: a client would take two "
            "disks for one; give each its own",
        ),
        *(_heard(index, one, two) for (_, one), (index, two) in combinations(clusters, 2)),
        _one_host(site),
        _ports(site),
        _portals(site),
    )


def _shared(
    site: "Site",
    of: "Callable[[Cluster], Iterable[str]]",
    sentence: str,
) -> Iterator[Problem]:
    """What two clusters have, with both their names."""
    first: dict[str, Cluster] = {}
    told: set[str] = set()
    for cluster in filter(is_sound, site.clusters):
        for what in sorted(set(of(cluster))):
            other = first.setdefault(what, cluster)
            if other is not cluster and what not in told:
                told.add(what)
                names = f"{other.name} and {cluster.name}"
                yield Problem("clusters", sentence.format(what=what, names=names))


def _inner_addresses(cluster: "Cluster") -> set[str]:
    """The IPs that its hosts have on other networks than the clients' paths."""
    return {one.ip for one in own_addresses(cluster)} - cluster.storage_addresses


@attrs.frozen
class _Domain:
    """Where a cluster's heartbeats reach everybody."""

    subnet: IPv4Network
    group: str | None
    """Of a multicast; None: they are broadcast."""


def _domains(cluster: "Cluster") -> set[_Domain]:
    known = subnets(cluster)
    return {
        _Domain(known[link.network], getattr(link, "group", None))
        for link in cluster.heartbeat.links
        if isinstance(link, Bcast | Mcast) and link.network in known
    }


def _heard(index: int, one: "Cluster", two: "Cluster") -> Iterator[Problem]:
    """Whether each of two clusters takes the other's heartbeats for its own."""
    same_key = one.heartbeat.secret.known == two.heartbeat.secret.known is not None
    if one.heartbeat.udpport != two.heartbeat.udpport or not same_key:
        return
    for here in _domains(one):
        for there in _domains(two):
            if here.group == there.group and here.subnet.overlaps(there.subnet):
                yield Problem(
                    f"clusters[{index}].heartbeat.udpport",
                    f"{one.name} and {two.name} both send heartbeats to all of {there.subnet}, to "
                    f"port {two.heartbeat.udpport} and with the same key, so each takes the "
                    f"other's for its own; give {two.name} another udpport, or a secret of its own",
                )
                return


def _hosts(site: "Site") -> "Iterator[tuple[str, Node | Client]]":
    """Each host of the site, with its path."""
    for index, cluster in enumerate(site.clusters):
        for place, host in cluster.places:
            if is_sound(host) and is_sound(host.ssh) and all(map(is_sound, host.ssh.values())):
                yield f"clusters[{index}].{place}", host


def _one_host(site: "Site") -> Iterator[Problem]:
    """Two names under which pyinfra would reach one host."""
    seen: dict[tuple[str, object], str] = {}
    for path, host in _hosts(site):
        other = seen.setdefault(reached(host), host.name)
        if other != host.name:
            yield Problem(
                f"{path}.ssh['ssh_hostname']",
                f"{reached(host)[0]} is where {other} is reached, so {host.name} would be the same "
                "host; write its own",
            )


def _ports(site: "Site") -> Iterator[Problem]:
    """DRBD's ports that are the nodes' sshd's."""
    for index, cluster in enumerate(site.clusters):
        taken = {reached(node)[1]: node.name for node in cluster.nodes}
        for position, resource in enumerate(cluster.resources):
            if resource.port in taken.keys() - TAKEN_PORTS.keys():
                yield Problem(
                    f"clusters[{index}].resources[{position}].port",
                    f"{resource.port} is where {taken[resource.port]} answers ssh; choose one such "
                    "as 7788",
                )


def _portals(site: "Site") -> Iterator[Problem]:
    """Portals at which a host is reached: it would be the other node after a takeover."""
    ways = {reached(host)[0]: host.name for _, host in _hosts(site)}
    for index, cluster in enumerate(site.clusters):
        for position, portal in enumerate(cluster.portals):
            if portal.ip in ways:
                yield Problem(
                    f"clusters[{index}].portals[{position}].address",
                    f"{portal.ip} is where {ways[portal.ip]} is reached by ssh; with the portal "
                    "that moves to the other node; give the portal an address of its own",
                )
