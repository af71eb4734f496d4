"""Physical volumes, volume groups and logical volumes: made and grown, never taken away."""

from collections.abc import Iterator, Mapping

from san.model import Cluster, Volume, VolumeGroup
from san.model.size import ALL_FREE
from san.observe.disks import Disk
from san.observe.lvm import LogicalVolume, LvmState

from .refusal import Refusal

Command = tuple[str, ...]


def steps(
    cluster: Cluster, found: LvmState, backing: Mapping[str, Disk] | None = None
) -> Iterator[Command]:
    """The commands (argument lists) that LVM lacks, in order, as the Primary sees it.

    None of them forces: pvcreate refuses a device that carries anything, vgcreate a volume of
    another group. Raises Refusal where the found groups are not the declared ones, or where LVM
    looks past DRBD at one of the `backing` disks.
    """
    _past_drbd(found, backing or {})
    for group in cluster.volume_groups:
        devices = [cluster.resource(name).device for name in group.resources]
        yield from _group(group, devices, found)
        # What is left is what the others leave.
        for volume in sorted(group.volumes, key=lambda each: each.bytes is None):
            if volume.bytes is None:
                yield from _rest(group, volume, devices, found)
            else:
                yield from _volume(group, volume, volume.bytes, found)


def _past_drbd(found: LvmState, backing: Mapping[str, Disk]) -> None:
    for resource, disk in backing.items():
        if found.pv(disk.device) or found.pv(disk.path):
            raise Refusal(
                f"LVM looks past DRBD at {disk.device}, the backing disk of {resource}: what it "
                "writes there isn't replicated. Nothing is to be moved, activated or taken out of "
                "a group while it does; docs/runbook.md, 'LVM looks past DRBD'"
            )


def _group(group: VolumeGroup, devices: list[str], found: LvmState) -> Iterator[Command]:
    there = next((each for each in found.volume_groups if each.name == group.name), None)
    volumes = {each.name: each for each in found.physical_volumes}
    for device in devices:
        other = volumes[device].vg if device in volumes else None
        if other is not None and other != group.name:
            raise Refusal(
                f"{device} belongs to the volume group {other!r}, not to {group.name!r}: correct "
                "the inventory's name of the group, if that is the one that is meant"
            )
    if (there is not None and there.partial) or any(
        each.missing for each in found.physical_volumes if each.vg == group.name
    ):
        unseen = ", ".join(device for device in devices if device not in volumes)
        raise Refusal(
            f"the volume group {group.name!r} lacks a physical volume, and LVM doesn't find "
            f"{unseen or 'it'}: its resource may not be Primary here, or have no disk (cat "
            "/proc/drbd); bring that back. vgreduce --removemissing would give up what lies on it"
        )
    present = {each.name for each in found.physical_volumes if each.vg == group.name}
    foreign = sorted(present - set(devices))
    if foreign:
        raise Refusal(
            f"the volume group {group.name!r} lies on {', '.join(foreign)} too, which the "
            "inventory doesn't give it: what is there isn't replicated; docs/runbook.md, 'Foreign "
            "volume groups', tells an extended group from another one of that name"
        )
    for device in devices:
        if device not in volumes:
            yield ("pvcreate", "--quiet", device)
    if there is None:
        # No activation by udev behind Heartbeat's back: its LVM script is who activates. And no
        # system id, which a node's lvm.conf may give it: the other node could never take the group.
        create = ("vgcreate", "--quiet", "--setautoactivation", "n", "--systemid", "")
        yield (*create, group.name, *devices)
        return
    lacking = [device for device in devices if device not in present]
    if lacking:
        yield ("vgextend", "--quiet", group.name, *lacking)


def _volume(group: VolumeGroup, volume: Volume, wanted: int, found: LvmState) -> Iterator[Command]:
    there = _found(group, volume, found)
    if there is None:
        yield _create(group, volume, "--size", f"{wanted}b")
    elif there.size < wanted:
        yield ("lvextend", "--quiet", "--size", f"{wanted}b", f"{group.name}/{volume.name}")
    elif there.size - wanted >= _extent(group, found):
        raise Refusal(
            f"{group.name}/{volume.name} has {there.size} bytes, the inventory says "
            f"{volume.size}: a volume is never shrunk; write its real size"
        )


def _rest(
    group: VolumeGroup, volume: Volume, devices: list[str], found: LvmState
) -> Iterator[Command]:
    """The volume that has what is left. A group that gets a disk has more than it says."""
    if _found(group, volume, found) is None:
        yield _create(group, volume, "--extents", ALL_FREE)
        return
    present = {each.name for each in found.physical_volumes if each.vg == group.name}
    if not present.issuperset(devices) or _left(group, found) > 0:
        yield ("lvextend", "--quiet", "--extents", f"+{ALL_FREE}", f"{group.name}/{volume.name}")


def _left(group: VolumeGroup, found: LvmState) -> int:
    """Bytes that the group has free, once its other volumes are as declared."""
    extent = _extent(group, found)
    left = next(each.free for each in found.volume_groups if each.name == group.name)
    for volume in group.volumes:
        there = _found(group, volume, found)
        wanted = -(-(volume.bytes or 0) // extent) * extent
        left -= max(0, wanted - (there.size if there else 0))
    return left


def _create(group: VolumeGroup, volume: Volume, *size: str) -> Command:
    # Answers 'yes' to wiping what an older volume left in these free extents.
    create = ("lvcreate", "--quiet", "--yes", "--wipesignatures", "y")
    return (*create, *size, "--name", volume.name, group.name)


def _found(group: VolumeGroup, volume: Volume, found: LvmState) -> LogicalVolume | None:
    return next(
        (
            each
            for each in found.logical_volumes
            if (each.vg, each.name) == (group.name, volume.name)
        ),
        None,
    )


def _extent(group: VolumeGroup, found: LvmState) -> int:
    """Bytes that LVM rounds a size up to."""
    return next(each.extent_size for each in found.volume_groups if each.name == group.name)
