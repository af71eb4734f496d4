"""LVM on the replicated devices."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host

from facts.lvm import Lvm
from operations.file import differing, install
from operations.node import heartbeats, replication, serving_node, turn_of_this_host
from operations.observation import converging, observed, pair
from operations.promotion import data_from, first_to_serve
from san.decide.serving import Turn
from san.decide.volumes import steps
from san.model import Node


@converging(Node)
def visible(turn: Turn) -> Iterator[PyinfraCommand]:
    """Let LVM see the replicated devices and never the disks below; let nobody into volumes."""
    if not turn_of_this_host(turn):
        return
    for file in differing("volumes"):
        yield install(file)


@converging(Node)
def created() -> Iterator[PyinfraCommand]:
    """Make and grow the volumes on the Primary.

    While nothing serves yet and Heartbeat runs nowhere, the preferred node is made Primary for it
    and left Secondary, so that Heartbeat finds what it leaves behind itself: nothing active. Or the
    one whose data was named.
    """
    cluster = host.data.cluster
    serves = serving_node()
    stopped = len(pair(cluster)) == len(cluster.nodes) and not any(
        each.running for each in heartbeats().values()
    )
    makes = serves or data_from() or cluster.preferred.name
    if host.data.member.name != makes or not (serves or stopped):
        host.noop("volumes are made where DRBD is Primary")
        return
    if stopped:
        first_to_serve()
    resources = [resource.name for resource in cluster.resources]
    if stopped:
        for name in resources:
            yield StringCommand("drbdadm", "primary", name)
    disks = replication()[host.data.member.name].disks
    for command in steps(cluster, observed(host, Lvm), disks):
        yield StringCommand(*(QuoteString(word) for word in command))
    if stopped:
        for group in cluster.volume_groups:
            yield StringCommand("vgchange", "--quiet", "--activate", "n", group.name)
        for name in resources:
            yield StringCommand("drbdadm", "secondary", name)
