"""Whether a disk may back a resource, and whether the one that does may be given up for it."""

from san.model import DrbdResource
from san.observe.disks import Disk
from san.observe.drbd_devices import Device

BITMAP = 32768
"""Bytes of a disk for each byte of DRBD's bitmap (4 KiB a bit)."""

AROUND = 72 << 10
"""Bytes that DRBD's other metadata takes at most: the activity log, the superblock, rounding."""


def unstable(resource: DrbdResource, disk: Disk) -> str | None:
    """Why the inventory's name may be another disk's after a boot."""
    if not disk.block or not disk.unstable:
        return None
    names = ", ".join(disk.stable_names)
    found = f"there it is {names} too" if names else "and that node has no stable name for it"
    return (
        f"{disk.path} for {resource.name} may be another disk's name after a boot, {found}; write "
        "a name in the inventory that stays with the disk, such as one below /dev/disk/by-id"
    )


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
    carries = (
        *disk.foreign,
        *(f"partition {name}" for name in disk.partitions),
        *(f"device {name}" for name in disk.holders),
    )
    if disk.busy and (disk.has_drbd_metadata or not carries):
        return (
            f"{what} is in use: something on the node has it for itself, a target, a database or "
            "another DRBD resource; find out what, or name another disk in the inventory"
        )
    if disk.blank or disk.has_drbd_metadata:
        return None
    if not carries:
        carries = (f"content without a signature, at byte {disk.content}",)
    return (
        f"{what} ({disk.device}) isn't empty: it carries {', '.join(carries)}; find out whose it "
        "is, and name another disk in the inventory unless nobody needs it any more"
    )


def unfit(resource: DrbdResource, disk: Disk, size: int | None) -> str | None:
    """Why `disk` can't take the place of the one that a running `resource` of `size` bytes has."""
    if reason := unsafe(resource, disk):
        return reason
    if disk.has_drbd_metadata:
        return (
            f"{disk.path} for {resource.name} carries DRBD's metadata already, of this or of "
            "another resource; a disk that takes the place of a running one must be blank"
        )
    if size is None or disk.size - disk.size // BITMAP - AROUND < size:
        return (
            f"{disk.path} for {resource.name} has {disk.size} bytes; with DRBD's metadata that is "
            f"too small for the {size or 'unknown'} bytes of {resource.device}"
        )
    return None


def last_copy(resource: DrbdResource, device: Device) -> str | None:
    """Why the disk of `device` must stay attached: no other is known to have all of its data."""
    if device.connected and device.peer_disk == "UpToDate":
        return None
    return (
        f"{resource.name} is {device.connection}, {device.disk}/{device.peer_disk}: its disk may "
        "be the last good copy, so it isn't detached for another; bring both sides to UpToDate "
        "first, or write the old disk into the inventory again"
    )
