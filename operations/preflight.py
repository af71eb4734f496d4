"""The first operation of a run: is it safe to go on, and does nobody else?"""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand
from pyinfra.context import host, state

from facts.lvm import Lvm
from facts.network import Network
from operations import lock
from operations.cluster import moving, settling
from operations.fencing import judge
from operations.file import present
from operations.node import replication, serving_node
from operations.observation import converging, observed, pair
from operations.waiting import until
from san.decide.links import amiss, contested
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
    everybody(cluster)
    network = observed(host, Network)
    if network.hostname != host.data.member.name:
        raise Refusal(
            f"`uname -n` prints {network.hostname!r} there: Heartbeat knows a node by that name; "
            "correct the node's name in the inventory, or the host's"
        )
    present()  # what can't be read, or whose network nobody manages, is a refusal already here
    list(amiss(cluster, host.data.member.name, network))
    reason = contested(cluster, host.data.member.name, network)
    if reason is not None:
        raise Refusal(reason)
    if isinstance(host.data.member, Node):
        if state.is_executing:
            until("Heartbeat to settle", moving, limit=settling(cluster))
        judge(installed=False)
        _disks(cluster)
        serves = serving_node()
        if serves in pair(cluster):
            list(steps(cluster, observed(pair(cluster)[serves], Lvm)))
        if state.is_executing:
            lock.take(host)
    host.noop("it is safe to go on")
    yield from ()


def everybody(cluster: Cluster) -> None:
    """Refuse where a host of the cluster is away, unless going on without it is allowed.

    From here on a host that fails ends the run, and nobody is asked whether to go on without it.
    """
    state.config.FAIL_PERCENT = 0
    state.should_raise_failed_hosts = None
    if host.data.get("allow_degraded"):
        return
    failed = {each.data.member.name for each in state.failed_hosts if each.data.get("member")}
    away = [each.name for each in cluster.hosts if each.name in failed]
    if away:
        raise Refusal(
            f"{' and '.join(away)} can't be reached: both nodes decide together; bring it back, or "
            "run with --data allow_degraded=true to converge what is safe without it"
        )
    left_out = [node.name for node in cluster.nodes if node.name not in pair(cluster)]
    if left_out:
        raise Refusal(
            f"{' and '.join(left_out)} isn't part of this run: both nodes decide together; --limit "
            "it to both of them, or to none"
        )


def _disks(cluster: Cluster) -> None:
    found = replication()[host.data.member.name]
    for resource in cluster.resources:
        device = found.devices.get(resource.minor)
        if device is None or device.disk == "Diskless":
            reason = unsafe(resource, found.disks[resource.name])
            if reason is not None:
                raise Refusal(reason)
