"""The first operation of a run: is it safe to go on, and does nobody else?"""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand
from pyinfra.context import host, state

from facts.lvm import Lvm
from facts.network import Network
from operations import lock
from operations.node import replication, serving_node
from operations.observation import converging, observed, pair
from san.decide.refusal import Refusal
from san.decide.replication import unsafe
from san.decide.volumes import steps
from san.model import Client, Cluster, Node


@converging(Node, Client)
def safe() -> Iterator[PyinfraCommand]:
    """Refuse before anything is changed: a host that is away, a wrong one, a disk in use.

    Takes the cluster's lock when the run begins to act. Changes nothing.
    """
    cluster: Cluster = host.data.cluster
    # From here on a host that fails ends the run, and nobody is asked whether to go on without it.
    state.config.FAIL_PERCENT = 0
    state.should_raise_failed_hosts = None
    _all_there(cluster)
    found = observed(host, Network).hostname
    if found != host.data.member.name:
        raise Refusal(
            f"`uname -n` prints {found!r} there: Heartbeat knows a node by that name; correct the "
            "node's name in the inventory, or the host's"
        )
    if isinstance(host.data.member, Node):
        _disks(cluster)
        serves = serving_node()
        if serves in pair(cluster):
            list(steps(cluster, observed(pair(cluster)[serves], Lvm)))
        if state.is_executing:
            holder = lock.take(host)
            if holder is not None:
                raise Refusal(f"another run holds the cluster's lock: {holder}; wait for its end")
    host.noop("it is safe to go on")
    yield from ()


def _all_there(cluster: Cluster) -> None:
    away = [node.name for node in cluster.nodes if node.name not in pair(cluster)]
    failed = {each.data.member.name for each in state.failed_hosts}
    away += [client.name for client in cluster.clients if client.name in failed]
    if away and not host.data.get("allow_degraded"):
        raise Refusal(
            f"{' and '.join(away)} can't be reached: both nodes decide together; bring it back, or "
            "run with --data allow_degraded=true to converge what is safe without it"
        )


def _disks(cluster: Cluster) -> None:
    found = replication()[host.data.member.name]
    for resource in cluster.resources:
        device = found.devices.get(resource.minor)
        if device is None or device.disk == "Diskless":
            reason = unsafe(resource, found.disks[resource.name])
            if reason is not None:
                raise Refusal(reason)
