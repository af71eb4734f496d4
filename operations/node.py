"""This host's place in its cluster."""

from pyinfra.context import host, state

from facts.drbd import Drbd
from facts.heartbeat import Heartbeat
from facts.network import Network
from facts.stgt import Stgt
from facts.watch import Watch
from operations.joined import Asked
from operations.observation import foreseen, observed, of_pair, pair
from san.decide.refusal import Refusal
from san.decide.serving import Turn, has_turn, serving
from san.model import Cluster, Node
from san.observe.drbd import DrbdState
from san.observe.heartbeat import HeartbeatState


def replication(*, every_generation: bool = False) -> dict[str, DrbdState]:
    """DRBD's state on each node that this run is connected to.

    Healthy resources' generations are asked for only where `every_generation` is wanted.
    """
    cluster: Cluster = host.data.cluster
    more = {"every_generation": True} if every_generation else {}
    return {
        name: observed(
            node,
            Drbd,
            resources=_resources(cluster, name),
            **more,
        )
        for name, node in pair(cluster).items()
    }


def _resources(cluster: Cluster, node: str) -> tuple[tuple[str, int, str], ...]:
    """Each DRBD resource as the fact about DRBD is asked for it: name, minor, backing disk."""
    return tuple((each.name, each.minor, each.disk_of(node)) for each in cluster.resources)


def foresee(cluster: Cluster, *more: Asked) -> None:
    """Read at once, of each node that this run is connected to, what tells whether it serves."""
    for name, node in pair(cluster).items():
        drbd = (Drbd, {"resources": _resources(cluster, name)})
        foreseen(node, (Network, {}), drbd, (Heartbeat, {}), (Stgt, {}), (Watch, {}), *more)


def named(what: str) -> frozenset[str]:
    """What the user names with `--data WHAT=…`, comma by comma."""
    return frozenset(str(host.data.get(what) or "").split(",")) - {""}


def heartbeats() -> dict[str, HeartbeatState]:
    """Heartbeat's state on each node that this run is connected to."""
    return of_pair(host.data.cluster, Heartbeat)


def serving_node() -> str | None:
    """The node that serves, if any does. Raises Refusal where DRBD's answers contradict."""
    return serving(host.data.cluster, replication())


_served: dict[tuple[str, bool], str | None] = {}
"""Who served at the first turn of a run, by cluster: of the plan, and of its execution."""


def turn_of_this_host(turn: Turn) -> bool:
    """Whether this host acts in `turn`: the standby's comes first; clients act in it too.

    Raises Refusal where the service has moved by itself since the first turn: whose turn it was
    then has changed with it. Without Heartbeat nothing does: a node that an interrupted run left
    Primary is Secondary again once its volumes are made.
    """
    if not isinstance(host.data.member, Node):
        return turn == "standby"
    serves = serving_node()
    served = _served.setdefault((host.data.cluster.name, state.is_executing), serves)
    if served not in {None, serves} and any(each.running for each in heartbeats().values()):
        raise Refusal(
            f"{serves or 'no node'} serves now, and {served} did when this run began; look at why "
            "it moved, and run again: the standby's turn comes first"
        )
    return has_turn(host.data.member.name, serves, turn)
