"""A backing disk that has another size than when DRBD used it: its metadata isn't at its end."""

from san.model import DrbdResource
from san.observe.disks import Disk


def grown(resource: DrbdResource, disk: Disk, size: int | None) -> str | None:
    """Why what `disk` carries may be the good copy; it had `size` bytes when DRBD used it last.

    Without its metadata a replicated disk looks like one of LVM's. DRBD's tools find the metadata
    where the disk ended then, and move it: they change nothing else, and nothing where it isn't.
    """
    if size is None or disk.blank or disk.has_drbd_metadata or disk.size <= size:
        return None
    return (
        f"{disk.path} for {resource.name} has {disk.size} bytes, and had {size} when DRBD used it "
        "last: it has grown, or is another disk. If it has grown, what it carries is the data of "
        f"{resource.name}, and DRBD's metadata lies where it ended: don't wipe it; there, drbdadm "
        f"check-resize {resource.name} moves the metadata to its end; then run again"
    )
