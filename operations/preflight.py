"""The first operation of a run: is it safe to go on, and does nobody else?"""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand
from pyinfra.context import host, state

from facts.initiator import Initiator
from facts.lvm import Lvm
from facts.network import Network
from facts.packages import Packages
from operations import lock
from operations.cluster import moving, settling
from operations.fencing import judge
from operations.file import present
from operations.member import hosts_of
from operations.node import foresee, named, replication, serving_node
from operations.observation import converging, foreseen, observed, pair
from operations.waiting import until
from san.decide.links import amiss, apart, contested
from san.decide.refusal import Refusal
from san.decide.replication import work
from san.decide.software import software
from san.decide.volumes import steps
from san.model import Client, Cluster, Node


@converging(Node, Client)
def safe() -> Iterator[PyinfraCommand]:
    """Refuse before anything is changed: a host that is away, a wrong one, a disk in use.

    Takes the cluster's lock when the run begins to act. Changes nothing.
    """
    cluster: Cluster = host.data.cluster
    everybody(cluster)
    if state.is_executing and isinstance(host.data.member, Node):
        lock.take(host)  # first: what is read before it may be another run's half
    _foresee(cluster)
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
        apart(cluster, network)
        if state.is_executing:
            until("Heartbeat to settle", moving, limit=settling(cluster))
        judge(installed=False)
        _disks(cluster)
        serves = serving_node()
        if serves in pair(cluster):
            disks = replication()[serves].disks
            list(steps(cluster, observed(pair(cluster)[serves], Lvm), disks))
    host.noop("it is safe to go on")
    yield from ()


def everybody(cluster: Cluster) -> None:
    """Refuse where a host of the cluster is away, unless going on without it is allowed."""
    if host.data.get("allow_degraded"):
        return
    known = hosts_of(host.inventory, cluster)
    away = [
        each.name
        for each in cluster.hosts
        if known.get(each.name) in state.failed_hosts - state.activated_hosts
    ]
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


def _foresee(cluster: Cluster) -> None:
    """Read at once what a run that finds nothing to do asks of this host."""
    packages = (Packages, {"units": software(cluster, host.data.member.name).units})
    if isinstance(host.data.member, Client):
        foreseen(host, (Network, {}), (Initiator, {}), packages)
    else:
        foresee(cluster, packages)


def _disks(cluster: Cluster) -> None:
    member = host.data.member.name
    found = replication()[member]
    for resource in cluster.resources:
        work(resource, member, found, named("replaced_disk"))
