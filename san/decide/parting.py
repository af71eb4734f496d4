"""Whether the nodes' data have parted, and whether that forbids a run."""

from collections.abc import Mapping

from san.model import Cluster, DrbdResource
from san.observe.drbd import DrbdState

from .generations import Relation, compare
from .refusal import Refusal


def relation(
    cluster: Cluster, resource: DrbdResource, states: Mapping[str, DrbdState]
) -> Relation | None:
    """How the first node's data compare with the other's.

    None where the nodes are connected, so that DRBD keeps them equal or makes them so, and where
    it isn't known: a node that isn't seen, or whose metadata can't be read.
    """
    devices = [state.devices.get(resource.minor) for state in states.values()]
    if any(device is not None and device.connected for device in devices):
        return None
    found = [
        states[node.name].generations.get(resource.name) if node.name in states else None
        for node in cluster.nodes
    ]
    own, its = found
    return None if own is None or its is None else compare(own, its)


def refuse_parted(
    cluster: Cluster, resource: DrbdResource, states: Mapping[str, DrbdState]
) -> None:
    """Raise Refusal where a run could not know which data is the right one.

    A device that is StandAlone for another reason, its data the same as the peer's or older, is
    none of these: `drbdadm adjust` connects it.
    """
    name, nodes = resource.name, [node.name for node in cluster.nodes]
    found = relation(cluster, resource, states)
    if found == "split":
        sides = " and ".join(f"{node} ({_changed(resource, states[node])})" for node in nodes)
        raise Refusal(
            f"{name} has a split brain: {sides} both moved on after they lost each other; decide "
            "which node's changes to give up: san recover split-brain; docs/runbook.md, 'Split "
            "brain'"
        )
    if found == "unrelated":
        raise Refusal(
            f"{name} holds unrelated data on {nodes[0]} and {nodes[1]}: they have no generation in "
            "common, so DRBD won't connect them; both may have what the other lacks: "
            "docs/runbook.md, 'Unrelated data'"
        )
    for node, state in states.items():
        device = state.devices.get(resource.minor)
        if device is None or device.connected:
            continue
        peer = cluster.peer(node).name
        stale = found == ("older" if node == nodes[0] else "newer")
        if stale and device.role == "Primary":
            raise Refusal(
                f"{name} is Primary on {node}, and {peer} has newer data: clients of {node} read "
                f"old data; stop Heartbeat on {node}, and {peer} takes over"
            )
        own = state.generations.get(name)
        if (
            device.connection == "StandAlone"
            and peer not in states
            and own is not None
            and not own.just_created
        ):
            raise Refusal(
                f"{name} is StandAlone on {node}, and without {peer} it can't be known whether "
                f"both have moved on: bring {peer} back first"
            )


def _changed(resource: DrbdResource, state: DrbdState) -> str:
    device = state.devices.get(resource.minor)
    known = device is not None and device.disk != "Diskless"
    return f"{device.out_of_sync} KiB changed" if device is not None and known else "no disk"
