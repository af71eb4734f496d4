"""Whose data may be brought into service while nobody serves."""

from collections.abc import Mapping

from san.model import Cluster, DrbdResource
from san.observe.drbd import DrbdState

from .parting import relation

GOOD = {"UpToDate", "Consistent"}
"""Disks that DRBD may promote without the peer."""


def unsure(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """Why it isn't known that both nodes have the newest data, so that either may serve."""
    for resource in cluster.resources:
        for node, state in states.items():
            device = state.devices.get(resource.minor)
            if device is None:
                return f"{resource.name} isn't configured on {node}"
            if not device.healthy:
                newer = _newer(cluster, resource, states)
                known = (
                    f"{newer} has the newer data" if newer else "whose data is newer isn't known"
                )
                return (
                    f"{resource.name} on {node} is {device.connection}, "
                    f"{device.disk}/{device.peer_disk}: {known}; mend the replication link or wait "
                    "for the resync, or name the node whose data is to be served, with --data "
                    "data_from=NODE"
                )
    return None


def apart(cluster: Cluster, node: str, state: DrbdState) -> str | None:
    """Why `node` could be promoted though it doesn't have what its peer has written since.

    DRBD itself promotes none that knows its data to be old (Outdated), or has only a part of it.
    """
    for resource in cluster.resources:
        device = state.devices.get(resource.minor)
        if device is not None and not device.connected and device.disk in GOOD:
            return (
                f"{resource.name} on {node} is {device.connection}, so its data may be older than "
                "what the peer serves; mend the replication link, and run again"
            )
    return None


def forbids(cluster: Cluster, named: str, states: Mapping[str, DrbdState]) -> str | None:
    """Why the data of the node that was `named` is not to be served."""
    names = [node.name for node in cluster.nodes]
    if named not in names:
        return (
            f"data_from={named} names no node of the cluster {cluster.name}: write "
            f"{' or '.join(names)}"
        )
    for resource in cluster.resources:
        device = states[named].devices.get(resource.minor)
        disk = device.disk if device is not None else "not configured"
        if disk not in GOOD:
            return f"{resource.name} is {disk} on {named}: what is there is not to be served"
        newer = _newer(cluster, resource, states)
        if newer not in {None, named}:
            return (
                f"{newer} has the newer data of {resource.name}: what {named} has is not to be "
                f"served while {newer} can; write data_from={newer}"
            )
    return None


def _newer(cluster: Cluster, resource: DrbdResource, states: Mapping[str, DrbdState]) -> str | None:
    """The node with the newer data, where the nodes are apart and that is known."""
    first, other = (node.name for node in cluster.nodes)
    return {"newer": first, "older": other}.get(str(relation(cluster, resource, states)))
