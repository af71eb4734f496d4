"""What a node's DRBD lacks, and whether it is safe to give it."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface

from san.model import Cluster, DrbdResource
from san.observe.disks import Disk
from san.observe.drbd import DrbdState

from .grown import grown
from .refusal import Refusal

Command = tuple[str, ...]


def unsafe(resource: DrbdResource, disk: Disk) -> str | None:
    """Why `disk` can't back `resource`; None where it is blank or carries DRBD's metadata.

    A disk with DRBD's metadata is taken as it is: DRBD itself compares generations with the peer
    before it copies a block, and refuses to connect unrelated data.
    """
    what = f"{disk.path} for {resource.name}"
    if not disk.block:
        found = "is no block device" if disk.exists else "isn't there"
        return f"{what} {found}; correct the inventory's disk"
    if disk.problem is not None:
        return f"{what} can't be read: {disk.problem}"
    if disk.mounts:
        return f"{what} is in use: mounted on {', '.join(disk.mounts)}"
    if disk.has_drbd_metadata or disk.blank:
        return None
    carries = (
        *disk.foreign,
        *(f"partition {name}" for name in disk.partitions),
        *(f"device {name}" for name in disk.holders),
    )
    return (
        f"{what} ({disk.device}) isn't empty: it carries {', '.join(carries)}; find out whose it "
        "is, and name another disk in the inventory unless nobody needs it any more"
    )


def steps(cluster: Cluster, resource: DrbdResource, state: DrbdState) -> Iterator[Command]:
    """The commands (argument lists) that give this node's `resource` metadata and bring it up.

    Raises Refusal where that could destroy something, or where drbdadm can't act.
    """
    device = state.devices.get(resource.minor)
    configured = device is not None and device.disk != "Diskless"
    if not configured:
        disk = state.disks[resource.name]
        reason = grown(resource, disk, state.sizes.get(resource.name)) or unsafe(resource, disk)
        if reason is not None:
            raise Refusal(reason)
        if not disk.has_drbd_metadata:
            # Answers 'yes' on a disk that was found to carry nothing at all.
            yield ("drbdadm", "create-md", "--force", resource.name)
    if state.refusal is not None and resource.name in state.resource_files:
        raise Refusal(f"drbdadm refuses the configuration: {state.refusal}")
    # A change of the net section names the connection's two ends, and not the resource.
    ours = {resource.name, str(resource.minor), *_ends(cluster, resource)}
    planned = any(ours & set(line.split()) for line in state.adjust_plan or ())
    if device is None or planned or not configured:
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
