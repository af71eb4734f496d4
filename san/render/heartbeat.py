"""Heartbeat: how the nodes hear each other, and the key that signs what they say."""

from collections.abc import Iterator
from ipaddress import IPv4Interface

from san.model import Bcast, Cluster, Link, Mcast, Ping, Serial, Ucast

from .stonith import stonith_hosts
from .template import text


def _link(cluster: Cluster, link: Link) -> Iterator[str]:
    """The lines of one link. Both nodes' addresses stand in both files: Heartbeat skips its own."""
    match link:
        case Serial(device=device, baud=baud):
            yield f"baud {baud}"
            yield f"serial {device}"
        case Ping(address=address):
            yield f"ping {address}"
        case Bcast(network=name):
            yield f"bcast {cluster.network(name).interface}"
        case Mcast(network=name, group=group, ttl=ttl):
            port = cluster.heartbeat.udpport
            yield f"mcast {cluster.network(name).interface} {group} {port} {ttl} 0"
        case Ucast(network=name):
            interface = cluster.network(name).interface
            for node in cluster.nodes:
                yield f"ucast {interface} {IPv4Interface(node.addresses[name]).ip}"


def ha_cf(cluster: Cluster) -> str:
    """/etc/ha.d/ha.cf; the same on both nodes."""
    lines = (line for link in cluster.heartbeat.links for line in _link(cluster, link))
    return text(
        "heartbeat/ha.cf",
        heartbeat=cluster.heartbeat,
        nodes=cluster.nodes,
        links=list(dict.fromkeys(lines)),  # Heartbeat doesn't start where `baud` stands twice
        stonith=stonith_hosts(cluster),
        pings=any(isinstance(link, Ping) for link in cluster.heartbeat.links),
    )


def authkeys(cluster: Cluster) -> str:
    """/etc/ha.d/authkeys: Heartbeat refuses to start unless it is 0600."""
    return text("heartbeat/authkeys", secret=cluster.heartbeat.secret.reveal())


def unit(cluster: Cluster) -> str:
    """The drop-in of heartbeat.service: its watchdog, and when it may start and start again."""
    return text(
        "heartbeat/unit.conf",
        watchdog=cluster.heartbeat.watchdog,
        minors=[resource.minor for resource in cluster.resources],
    )
