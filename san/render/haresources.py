"""haresources: the resources, in the order in which they start on the node that takes over."""

from san.model import Cluster, Portal

from .template import text


def portal_at(cluster: Cluster, portal: Portal) -> str:
    """The portal as its resource script takes it: ADDRESS/PREFIX/INTERFACE."""
    return f"{portal.address}/{cluster.network_of(portal).interface}"


def resources(cluster: Cluster) -> tuple[str, ...]:
    """The resources of the cluster's one group, by script and arguments, in starting order.

    Storage from the bottom up, then the portals, then the target: its script opens the port last
    of all, so a client finds a target with all its LUNs or none at all.
    """
    return (
        *(f"drbddisk::{resource.name}" for resource in cluster.resources),
        *(f"{cluster.volume_agent}::{group.name}" for group in cluster.volume_groups),
        *(f"{cluster.address_agent}::{portal_at(cluster, portal)}" for portal in cluster.portals),
        "arp_filter",
        "iscsi-target",
    )


def haresources(cluster: Cluster) -> str:
    """/etc/ha.d/haresources; the same on both nodes."""
    return text("heartbeat/haresources", cluster=cluster, resources=resources(cluster))
