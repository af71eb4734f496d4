"""Physical volumes, volume groups and logical volumes: made and grown, never taken away."""

from collections.abc import Iterator

from san.model import Cluster, Volume, VolumeGroup
from san.observe.lvm import LvmState

from .refusal import Refusal

Command = tuple[str, ...]


def steps(cluster: Cluster, found: LvmState) -> Iterator[Command]:
    """The commands (argument lists) that LVM lacks, in order, as the Primary sees it.

    None of them forces: pvcreate refuses a device that carries anything, vgcreate a volume of
    another group. Raises Refusal where the found groups are not the declared ones.
    """
    for group in cluster.volume_groups:
        devices = [cluster.resource(name).device for name in group.resources]
        yield from _group(group, devices, found)
        for volume in group.volumes:
            yield from _volume(group, volume, found)


def _group(group: VolumeGroup, devices: list[str], found: LvmState) -> Iterator[Command]:
    there = next((each for each in found.volume_groups if each.name == group.name), None)
    volumes = {each.name: each for each in found.physical_volumes}
    for device in devices:
        other = volumes[device].vg if device in volumes else None
        if other is not None and other != group.name:
            raise Refusal(
                f"{device} belongs to the volume group {other!r}, not to {group.name!r}: correct "
                "the inventory, or take it out of that group by hand (vgreduce)"
            )
    present = {each.name for each in found.physical_volumes if each.vg == group.name}
    foreign = sorted(present - set(devices))
    if foreign:
        raise Refusal(
            f"the volume group {group.name!r} lies on {', '.join(foreign)} too, which the "
            "inventory doesn't give it: what is there isn't replicated; move it off (pvmove) and "
            "take it out (vgreduce), or rename one of the groups"
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


def _volume(group: VolumeGroup, volume: Volume, found: LvmState) -> Iterator[Command]:
    name = f"{group.name}/{volume.name}"
    size = f"{volume.bytes}b"
    there = next(
        (
            each
            for each in found.logical_volumes
            if (each.vg, each.name) == (group.name, volume.name)
        ),
        None,
    )
    if there is None:
        # Answers 'yes' to wiping what an older volume left in these free extents.
        create = ("lvcreate", "--quiet", "--yes", "--wipesignatures", "y")
        yield (*create, "--size", size, "--name", volume.name, group.name)
    elif there.size < volume.bytes:
        yield ("lvextend", "--quiet", "--size", size, name)
    elif there.size - volume.bytes >= _extent(group, found):
        raise Refusal(
            f"{name} has {there.size} bytes, the inventory says {volume.size}: a volume is never "
            "shrunk; write its real size"
        )


def _extent(group: VolumeGroup, found: LvmState) -> int:
    """Bytes that LVM rounds a size up to."""
    return next(each.extent_size for each in found.volume_groups if each.name == group.name)
