"""What a node's DRBD lacks, and whether it is safe to give it."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface
from typing import Literal

from san.model import Cluster, DrbdResource
from san.observe.disks import Disk
from san.observe.drbd import DrbdState
from san.observe.drbd_claims import Claim

from .backing import last_copy, unfit, unsafe, unstable
from .claims import foreign
from .grown import grown
from .refusal import Refusal
from .serving import serving

Command = tuple[str, ...]

_LEAVING = {"detach", "del-minor"}
"""Steps of `drbdadm adjust` that take a disk from DRBD: of a moved minor, or other metadata."""

Work = Literal["nothing", "attach", "create", "rename", "replace"]
"""`create`: metadata, on a blank disk; `rename`: the same disk by another name, detached and
attached again; `replace`: another disk, which gets metadata and the peer's data."""


def work(
    resource: DrbdResource, node: str, state: DrbdState, replaced: frozenset[str] = frozenset()
) -> Work:
    """What is to be done about the disk of `resource` on `node`.

    `replaced` names the disks that the user says are new ones, as NODE/RESOURCE. Raises Refusal
    where anything that may hold data would be lost.
    """
    disk = state.disks[resource.name]
    device = state.devices.get(resource.minor)
    _refuse(foreign(resource, node, disk, state.claims))
    _refuse(unstable(resource, disk))
    if device is not None and device.disk != "Diskless":
        found = moved(resource, state)
        if found is None:
            _refuse(_elsewhere(resource, state))
            return "nothing"
        if found.device == disk.device:
            _refuse(last_copy(resource, device))
            return "rename"
        _refuse(unfit(resource, disk, found.size))
        _refuse(last_copy(resource, device))
        _named(resource, node, disk, replaced)
        return "replace"
    # First: what a grown disk carries isn't somebody else's.
    _refuse(grown(resource, disk, state.sizes.get(resource.name)) or unsafe(resource, disk))
    if disk.has_drbd_metadata:
        return "attach"
    if device is not None:
        _named(resource, node, disk, replaced)
    return "create"


def _elsewhere(resource: DrbdResource, state: DrbdState) -> str | None:
    """Why a running resource can't go on by our file: adjust would detach it, and not come back."""
    attached = state.claims.attached(resource.minor)
    if attached is None or attached.meta in {None, "internal"}:
        return None
    return (
        f"{resource.name} keeps DRBD's metadata on {attached.meta}, and the inventory's resources "
        "have it at the end of their disk: leave this one to its own files, or name another disk "
        "for it in the inventory, with room for the metadata"
    )


def moved(resource: DrbdResource, state: DrbdState) -> Claim | None:
    """The disk that `resource` has in the kernel, where the inventory says another."""
    attached = state.claims.attached(resource.minor)
    if attached is None or attached.disk is None:
        raise Refusal(
            f"which disk {resource.name} has can't be told; look at: drbdsetup show, and run again"
        )
    return None if attached.disk == state.disks[resource.name].path else attached


def leaves(resource: DrbdResource, state: DrbdState) -> bool:
    """Whether `resource` has a disk that the inventory replaces by another, or names otherwise."""
    device = state.devices.get(resource.minor)
    return device is not None and device.disk != "Diskless" and moved(resource, state) is not None


def comes_after(
    cluster: Cluster, resource: DrbdResource, node: str, states: Mapping[str, DrbdState]
) -> str | None:
    """Why the disk on `node` is given up after its peer's.

    Where nobody serves both nodes act at once, and each would rely on the other's copy.
    """
    peer = states.get(cluster.peer(node).name)
    if serving(cluster, states) is not None or node != cluster.preferred.name:
        return None
    if peer is None or not leaves(resource, peer):
        return None
    return f"the peer's disk of {resource.name} is replaced first"


def _named(resource: DrbdResource, node: str, disk: Disk, replaced: frozenset[str]) -> None:
    name = f"{node}/{resource.name}"
    if name not in replaced:
        raise Refusal(
            f"{disk.path} is blank, and {resource.name} had another disk on {node}, or lost this "
            "one: if it is the new disk, and the peer's copy is good, say so with "
            f"--data replaced_disk={name}; it gets new metadata, and all of the peer's data"
        )


def _refuse(reason: str | None) -> None:
    if reason is not None:
        raise Refusal(reason)


def steps(
    cluster: Cluster,
    resource: DrbdResource,
    node: str,
    state: DrbdState,
    replaced: frozenset[str] = frozenset(),
) -> Iterator[Command]:
    """The commands (argument lists) that give `resource` on `node` metadata and bring it up.

    Raises Refusal where that could destroy something, or where drbdadm can't act.
    """
    todo = work(resource, node, state, replaced)
    if state.refusal is not None and resource.name in state.resource_files:
        raise Refusal(f"drbdadm refuses the configuration: {state.refusal}")
    # A change of the net section names the connection's two ends, and not the resource.
    ours = {resource.name, str(resource.minor), *_ends(cluster, resource)}
    planned = [words for line in state.adjust_plan or () if ours & (words := set(line.split()))]
    device = state.devices.get(resource.minor)
    if device is not None and any(_LEAVING & words for words in planned):
        _refuse(last_copy(resource, device))
    if todo == "replace":
        yield ("drbdadm", "detach", resource.name)
    if todo in {"create", "replace"}:
        # Never forced: on a blank disk drbdmeta asks nothing, and it ends where it would ask.
        yield ("drbdadm", "create-md", resource.name)
    if todo != "nothing" or planned:
        yield ("drbdadm", "adjust", resource.name)


def _ends(cluster: Cluster, resource: DrbdResource) -> Iterator[str]:
    """The connection's ends, as drbdsetup's arguments name them (drbdsetup-8.4(8))."""
    for node in cluster.nodes:
        yield f"ipv4:{IPv4Interface(node.addresses[resource.network]).ip}:{resource.port}"


def first_generation(
    cluster: Cluster, states: Mapping[str, DrbdState], *, planning: bool = False
) -> Iterator[DrbdResource]:
    """The resources whose both sides are new, so that there is nothing to copy between them.

    While `planning`, a side that is still blank will be new when its turn comes.
    """
    for resource in cluster.resources:
        if len(states) == len(cluster.nodes) and all(
            _new(resource, state) or (planning and _blank(resource, state))
            for state in states.values()
        ):
            yield resource


def _new(resource: DrbdResource, state: DrbdState) -> bool:
    generation = state.generations.get(resource.name)
    return generation is not None and generation.just_created


def _blank(resource: DrbdResource, state: DrbdState) -> bool:
    return resource.minor not in state.devices and state.disks[resource.name].blank
