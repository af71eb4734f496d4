"""LVM: which devices it may look at on a storage node, and that nobody looks into its volumes."""

import re

from san.model import Cluster

from .template import text

_ACCEPT_DRBD = r'"a|^/dev/drbd.*|"'


UDEV_RULES = "/etc/udev/rules.d/57-san.rules"
"""After device-mapper's and LVM's own rules (55, 56), and before all that look at a content."""


def _rejected(name: str) -> str:
    """A pattern that rejects just `name`. LVM's regular expressions take a bracket for any sign."""
    escaped = re.sub(r"[^A-Za-z0-9/_-]", lambda match: f"[{match[0]}]", name)
    return f'"r|^{escaped}$|"'


def lvm_filter(cluster: Cluster, node: str, backing: tuple[str, ...] = ()) -> str:
    """/etc/lvm/lvmlocal.conf of `node`: LVM sees DRBD's devices and the node's other disks.

    `backing` are further names of the backing disks as found on the node: their links under
    /dev/disk. One name is enough to reject a disk, so the declared one does; more are a belt.
    Leave out kernel names such as /dev/sdb: they may name another disk after the next boot, and
    that disk's volume groups (the root file system's) would be gone.
    """
    declared = (resource.disk_of(node) for resource in cluster.resources)
    names = dict.fromkeys((*declared, *backing))
    return text(
        "lvm/lvmlocal.conf",
        devices=[resource.device for resource in cluster.resources],
        patterns=[_ACCEPT_DRBD, *map(_rejected, names)],
    )


def udev_rules(cluster: Cluster) -> str:
    """/etc/udev/rules.d/57-san.rules; udevd reads it anew by itself."""
    return text("lvm/57-san.rules", groups=cluster.volume_groups)
