"""Which node serves: what DRBD says, never what the inventory prefers."""

from collections.abc import Mapping
from typing import Literal

from san.model import Cluster
from san.observe.drbd import DrbdState

from .claims import stranger
from .parting import refuse_parted
from .refusal import Refusal

Turn = Literal["standby", "serving"]
"""Whose turn it is in a phase that takes the nodes one by one: the standby comes first."""


def serving(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """The node that is Primary for the cluster's resources; None where neither is.

    Raises Refusal where a device isn't ours, where both nodes are, where the resources are Primary
    on different nodes, or where their data has parted (split brain): only the operator knows which
    side's is the right one.
    """
    primaries: dict[str, list[str]] = {}
    for resource in cluster.resources:
        for node, state in states.items():
            if reason := stranger(resource, node, state.claims):
                raise Refusal(reason)
        refuse_parted(cluster, resource, states)
        for node, state in states.items():
            device = state.devices.get(resource.minor)
            if device is None:
                continue
            if device.role == "Primary":
                primaries.setdefault(node, []).append(resource.name)
            peer = cluster.peer(node).name
            if peer not in states and device.peer_role == "Primary":
                primaries.setdefault(peer, []).append(resource.name)
    if len(primaries) > 1:
        found = "; ".join(f"{', '.join(names)} on {node}" for node, names in primaries.items())
        raise Refusal(
            f"both nodes are Primary ({found}): find out which one the clients write to before one "
            "is demoted; docs/runbook.md, 'Both nodes are Primary'"
        )
    return next(iter(primaries), None)


def has_turn(node: str, serves: str | None, turn: Turn) -> bool:
    """Whether `node` acts in `turn`. Where neither serves, both act in the standby's turn."""
    return (turn == "serving") == (node == serves)
