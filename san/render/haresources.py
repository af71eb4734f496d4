"""haresources: the resources, in the order in which they start on the node that takes over."""

from san.model import Cluster, Portal

from .template import text


def portal_at(cluster: Cluster, portal: Portal) -> str:
    """The portal as its resource script takes it: ADDRESS/PREFIX/INTERFACE."""
    return f"{portal.address}/{cluster.network_of(portal).interface}"


def resources(cluster: Cluster) -> tuple[str, ...]:
    """The resources of the cluster's one group, by script and arguments, in starting order.

    Storage from the bottom up, then the target, whose script opens no port before each LUN is
    there, then the portals' addresses: a client finds a whole target or nobody. Or, as the guide
    has it, the addresses before the target.
    """
    agent = cluster.address_agent
    portals = [f"{agent}::{portal_at(cluster, portal)}" for portal in cluster.portals]
    last = ("arp_filter", "iscsi-target")
    return (
        *(f"{cluster.promotion_agent}::{resource.name}" for resource in cluster.resources),
        *(f"{cluster.volume_agent}::{group.name}" for group in cluster.volume_groups),
        *((*last, *portals) if cluster.portals_last else (*portals, *last)),
    )


def haresources(cluster: Cluster) -> str:
    """/etc/ha.d/haresources; the same on both nodes."""
    return text("heartbeat/haresources", cluster=cluster, resources=resources(cluster))
