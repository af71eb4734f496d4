"""DRBD: its configuration, metadata, and what the kernel makes of it."""

from collections.abc import Iterator
from functools import partial

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.context import host, state

from operations.drbd import drbdadm
from operations.file import differing, install
from operations.node import replication, turn_of_this_host
from operations.observation import converging
from operations.waiting import until
from san.decide import replication as decide
from san.decide.serving import Turn
from san.model import DrbdResource, Node


@converging(Node)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install the resource files, create metadata on blank disks, and adjust the kernel to them.

    `drbdadm adjust` changes what differs, online; drbdadm reads a new file before that once.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    changed = differing("replication")
    for file in changed:
        yield install(file)
    if changed:
        yield StringCommand("drbdadm", "dump", "all", ">/dev/null")
    for resource in cluster.resources:
        for command in decide.steps(resource, replication()[host.data.member.name]):
            yield drbdadm(*command[1:])


@converging(Node)
def first_generation() -> Iterator[PyinfraCommand]:
    """Declare two new, empty sides equal, so that no first full sync has to run."""
    cluster = host.data.cluster
    if host.data.member.name != cluster.preferred.name:
        return
    planning = not state.is_executing
    for resource in decide.first_generation(cluster, replication(), planning=planning):
        if not planning:
            until("the new nodes to connect", partial(_apart, resource), limit=60)
        yield StringCommand("drbdadm", "new-current-uuid", "--clear-bitmap", f"{resource.name}/0")


def _apart(resource: DrbdResource) -> str | None:
    device = replication()[host.data.member.name].devices.get(resource.minor)
    if device is not None and device.connected:
        return None
    found = device.connection if device else "not configured"
    return f"{resource.name} is {found}; look at the replication network and its port"
