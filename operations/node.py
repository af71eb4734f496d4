"""This host's place in its cluster."""

from pyinfra.context import host

from facts.drbd import Drbd
from facts.heartbeat import Heartbeat
from operations.observation import observed, of_pair, pair
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
            resources=tuple(
                (resource.name, resource.minor, resource.disk_of(name))
                for resource in cluster.resources
            ),
            **more,
        )
        for name, node in pair(cluster).items()
    }


def named(what: str) -> frozenset[str]:
    """What the user names with `--data WHAT=…`, comma by comma."""
    return frozenset(str(host.data.get(what) or "").split(",")) - {""}


def heartbeats() -> dict[str, HeartbeatState]:
    """Heartbeat's state on each node that this run is connected to."""
    return of_pair(host.data.cluster, Heartbeat)


def serving_node() -> str | None:
    """The node that serves, if any does. Raises Refusal where DRBD's answers contradict."""
    return serving(host.data.cluster, replication())


def turn_of_this_host(turn: Turn) -> bool:
    """Whether this host acts in `turn`: the standby's comes first; clients act in it too."""
    if not isinstance(host.data.member, Node):
        return turn == "standby"
    return has_turn(host.data.member.name, serving_node(), turn)
