"""The node's own table of nftables: who reaches the cluster's services."""

from collections.abc import Iterator

from san.model import Bcast, Cluster, Mcast, Ucast

from .file import File, public
from .template import raw, text

FIREWALL = "/etc/san/firewall.nft"
UNIT = "/etc/systemd/system/san-firewall.service"
ISCSI_PORT = 3260


def _doors(cluster: Cluster) -> dict[tuple[str, int], set[str]]:
    """By protocol and port, the interfaces of the networks that may come to it."""
    doors = {("tcp", ISCSI_PORT): {each.interface for each in cluster.storage_networks}}
    for resource in cluster.resources:
        own = cluster.network(resource.network).interface
        doors.setdefault(("tcp", resource.port), set()).add(own)
    heard = doors.setdefault(("udp", cluster.heartbeat.udpport), set())
    for link in cluster.heartbeat.links:
        if isinstance(link, (Bcast, Mcast, Ucast)):
            heard.add(cluster.network(link.network).interface)
    return doors


def rules(cluster: Cluster) -> Iterator[str]:
    """What the table's chain holds, as nft itself lists it.

    It only drops: what another table drops stays dropped. The node itself may come to all, as its
    watch does.
    """
    yield 'iifname "lo" accept'
    for (protocol, port), interfaces in _doors(cluster).items():
        for interface in sorted(interfaces):
            yield f'iifname "{interface}" {protocol} dport {port} accept'
        yield f"{protocol} dport {port} drop"


def chain(cluster: Cluster) -> tuple[str, ...]:
    """The lines of the loaded table, without its braces."""
    head = ("chain input {", "type filter hook input priority filter; policy accept;")
    return (*head, *rules(cluster))


def firewall_files(cluster: Cluster) -> Iterator[File]:
    """The table, and what loads it at boot."""
    content = text("network/firewall.nft", rules=rules(cluster))
    yield public(FIREWALL, content, "network")
    yield public(UNIT, raw("network/san-firewall.service"), "network")
