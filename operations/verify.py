"""The end of a run: does the cluster really serve?"""

from collections.abc import Iterator
from time import time

from pyinfra.api.command import PyinfraCommand
from pyinfra.context import host, state

from facts.initiator import Initiator
from facts.lvm import Lvm
from facts.network import Network
from facts.stgt import Stgt
from facts.watch import Watch
from operations.cluster import settling, unsettled
from operations.fencing import ANSWER_LIMIT, devices_amiss
from operations.node import foresee, heartbeats, replication, serving_node
from operations.observation import converging, observed, pair, renew
from operations.waiting import until
from san.decide.group import Holdings, lacking
from san.decide.health import comparison_overdue, paths_amiss, replication_amiss, watch_amiss
from san.decide.target import serves_exactly
from san.model import Client, Cluster, Node

PATHS_LIMIT = 60
"""Seconds for a client's paths: two logins and multipath's first checks."""


@converging(Node)
def cluster_serves() -> Iterator[PyinfraCommand]:
    """Wait until the data is on both nodes and one of them serves all of it. Changes nothing.

    And until each device answers that this node would reset its peer with. Says which resource
    wasn't compared for too long.
    """
    cluster = host.data.cluster
    if state.is_executing:
        renew(*pair(cluster).values())
        foresee(cluster)
        until("the cluster to serve", cluster_amiss, limit=settling(cluster))
        until("its STONITH devices to answer", devices_amiss, limit=ANSWER_LIMIT)
    overdue = comparison_overdue(cluster, replication(), time())
    if overdue is not None and host.data.member == cluster.preferred:
        host.log_styled(overdue, fg="yellow")
    yield from ()


@converging(Client)
def paths_active() -> Iterator[PyinfraCommand]:
    """Wait until this client has every LUN through every portal that admits it.

    Changes nothing.
    """
    cluster = host.data.cluster
    alone = len(pair(cluster)) < len(cluster.nodes)
    if state.is_executing and not (alone and serving_node() is None):
        renew(host)
        until("the client's paths", _paths_amiss, limit=PATHS_LIMIT)
    yield from ()


def _paths_amiss() -> str | None:
    return paths_amiss(host.data.cluster, host.data.member, observed(host, Initiator))


def cluster_amiss() -> str | None:
    """What keeps the cluster from being whole: data on both nodes, one of them serving it all."""
    cluster: Cluster = host.data.cluster
    nodes = pair(cluster)
    alone = len(nodes) < len(cluster.nodes)
    stopped = [name for name, found in heartbeats().items() if not found.running]
    if len(stopped) == len(nodes):
        return None if alone else "Heartbeat runs on neither node"
    if stopped:
        return f"Heartbeat doesn't run on {stopped[0]}: journalctl -u heartbeat"
    amiss = unsettled() or (None if alone else replication_amiss(cluster, replication()))
    serves = serving_node()
    if amiss or serves not in nodes:
        return amiss or (None if alone else "neither node is Primary")
    node = nodes[serves]
    holdings = Holdings(
        replication()[serves],
        observed(node, Lvm),
        observed(node, Network),
        targets_served=serves_exactly(cluster, observed(node, Stgt)),
    )
    missing = ["::".join(resource) for resource in lacking(node.data.cluster, holdings)]
    if missing:
        return f"{serves} doesn't hold {', '.join(missing)}"
    return watch_amiss(serves, observed(node, Watch))
