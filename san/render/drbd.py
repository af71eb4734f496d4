"""DRBD resource files, in what 8.4 and 9 both understand."""

from ipaddress import IPv4Interface

from san.model import Cluster, DrbdResource

from .template import text


def drbd_res(cluster: Cluster, resource: DrbdResource) -> str:
    """/etc/drbd.d/NAME.res; the same on both nodes."""
    nodes = [
        {"name": node.name, "address": IPv4Interface(node.addresses[resource.network]).ip}
        for node in cluster.nodes
    ]
    return text(
        "drbd/resource.res",
        resource=resource,
        timing=cluster.timing,
        nodes=nodes,
        secret=resource.secret.reveal(),
    )
