"""DRBD: its configuration, metadata, and what the kernel makes of it."""

from collections.abc import Iterator
from functools import partial

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.context import host, state

from facts.drbd_content import DrbdContent
from operations.drbd import drbdadm
from operations.file import differing, install
from operations.node import named, replication, turn_of_this_host
from operations.observation import converging, forget, observed, pair
from operations.waiting import until
from san.decide import first_sync
from san.decide import replication as decide
from san.decide.backing import last_copy
from san.decide.serving import Turn
from san.model import DrbdResource, Node
from san.observe.content import Content
from san.observe.drbd_devices import Device
from san.render.verify import TIMER, UNITS

_TIMED = ("systemctl", "daemon-reload", "&&", "systemctl", "restart", TIMER)


@converging(Node)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install the resource files, create metadata on blank disks, and adjust the kernel to them.

    `drbdadm adjust` changes what differs, online; drbdadm reads a new file before that once. The
    timer of the comparisons runs from here on.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    member = host.data.member.name
    replaced = named("replaced_disk")
    for resource in cluster.resources:
        if state.is_executing and _leaving(resource):
            forget(cluster)  # its peer's disk as it is now, not as it was when the run began
            until("the peer's disk to be whole", partial(_only, resource), limit=60)
        decide.work(resource, member, replication()[member], replaced)
    changed = differing("replication")
    units = [file.path for file in changed if file.path.startswith(UNITS)]
    for file in changed:
        yield install(file, *(_TIMED if file.path in units[-1:] else ()))
    if changed:
        yield StringCommand("drbdadm", "dump", "all", ">/dev/null")
    for resource in cluster.resources:
        found = replication()[member]
        for command in decide.steps(cluster, resource, member, found, replaced):
            yield drbdadm(*command[1:])


@converging(Node)
def first_generation() -> Iterator[PyinfraCommand]:
    """Make two new sides equal: declare them so where both are empty, else copy the named one."""
    cluster = host.data.cluster
    planning = not state.is_executing
    for resource in tuple(decide.first_generation(cluster, replication(), planning=planning)):
        source = first_sync.named(cluster, resource, named("sync_from"))
        if host.data.member.name != (source or cluster.preferred.name):
            continue
        if not planning:
            until("the new nodes to connect", partial(_apart, resource), limit=60)
            if source is None:
                first_sync.judge(resource, _contents(resource), named("new_disks"))
        for command in first_sync.steps(resource, source):
            yield drbdadm(*command[1:])


def _contents(resource: DrbdResource) -> dict[str, Content]:
    """What reading all that is replicated finds on each node."""
    return {
        name: observed(
            node, DrbdContent, resources=((resource.minor, resource.disk_of(name)),)
        ).disks[0]
        for name, node in pair(host.data.cluster).items()
    }


def _leaving(resource: DrbdResource) -> Device | None:
    """The device on this node, where the inventory has another disk for it."""
    found = replication()[host.data.member.name]
    return found.devices[resource.minor] if decide.leaves(resource, found) else None


def _only(resource: DrbdResource) -> str | None:
    """Why that device can't give up its disk yet."""
    device = _leaving(resource)
    if device is None:
        return None
    turn = decide.comes_after(host.data.cluster, resource, host.data.member.name, replication())
    return turn or last_copy(resource, device)


def _apart(resource: DrbdResource) -> str | None:
    device = replication()[host.data.member.name].devices.get(resource.minor)
    if device is not None and device.connected:
        return None
    found = device.connection if device else "not configured"
    return f"{resource.name} is {found}; look at the replication network and its port"
