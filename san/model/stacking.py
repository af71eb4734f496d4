"""A cluster's layers: disk, DRBD resource, volume group, volume, LUN, and what lies on what."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from .cabling import joined
from .declare import duplicates, independent, is_sound, sound
from .problem import Problem
from .storage import DrbdResource
from .target import Lun, Target

if TYPE_CHECKING:
    from .cluster import Cluster


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """What is wrong between disks, resources, volume groups and LUNs."""
    yield from independent(
        cluster,
        _resources(cluster),
        _twice(cluster, "minor"),
        _twice(cluster, "port"),
        _overlapping(cluster),
        _groups(cluster),
        _luns(cluster),
        _identities(cluster),
    )


def _resources(cluster: "Cluster") -> Iterator[Problem]:
    for index, resource in enumerate(cluster.resources):
        path = f"resources[{index}]"
        yield from independent(
            cluster,
            _network(cluster, resource, f"{path}.network"),
            _disks(cluster, resource, f"{path}.disk"),
        )


def _network(cluster: "Cluster", resource: DrbdResource, path: str) -> Iterator[Problem]:
    yield from joined(cluster, resource.network, path)


def _disk_of(resource: DrbdResource, node: str) -> str | None:
    """The disk on `node`; None where the resource names none there."""
    return resource.disk.get(node) if isinstance(resource.disk, Mapping) else resource.disk


def _disks(cluster: "Cluster", resource: DrbdResource, path: str) -> Iterator[Problem]:
    nodes = [node.name for node in cluster.nodes]
    if isinstance(resource.disk, Mapping) and set(resource.disk) != set(nodes):
        yield Problem(path, f"name a disk for each of {', '.join(nodes)}, and for no other host")
    disks = {disk for node in nodes if (disk := _disk_of(resource, node))}
    for disk in sorted(disks):
        if disk.startswith("/dev/drbd"):
            yield Problem(path, f"{disk} is a DRBD device; name the disk below it")
        for group in cluster.volume_groups:
            if not group.contains(disk):
                continue
            if resource.name in group.resources:
                why = f"it is circular: {group.name} itself lies on {resource.name}"
            else:
                why = f"only the node that serves {group.name} has it"
            yield Problem(path, f"{disk} is of the cluster's {group.name}, and {why}; name a disk")


def _twice(cluster: "Cluster", key: str) -> Iterator[Problem]:
    for value in duplicates(sound(cluster.resources, key)):
        yield Problem("resources", f"{key} {value} is there twice; give each its own {key}")


def _overlapping(cluster: "Cluster") -> Iterator[Problem]:
    known = [(i, each) for i, each in enumerate(cluster.resources) if is_sound(each)]
    for (_, one), (index, two) in combinations(known, 2):
        yield from independent(cluster, _disks_of_both(cluster, one, two, index))


def _disks_of_both(
    cluster: "Cluster", one: DrbdResource, two: DrbdResource, index: int
) -> Iterator[Problem]:
    for node in cluster.nodes:
        disks = _disk_of(one, node.name), _disk_of(two, node.name)
        if disks[0] and disks[1] and _overlap(disks[0], disks[1]):
            yield Problem(
                f"resources[{index}].disk",
                f"{disks[1]} of {node.name} overlaps {disks[0]} of {one.name}: each would "
                "overwrite the other; give each its own disk or partition",
            )


def _overlap(one: str, two: str) -> bool:
    """Whether one path is the other, or a partition of it."""
    whole, part = sorted((one, two), key=len)
    if not part.startswith(whole):
        return False
    number = r"p\d+" if whole[-1].isdigit() else r"p?\d+"
    return re.fullmatch(rf"|{number}|-part\d+", part[len(whole) :]) is not None


def _groups(cluster: "Cluster") -> Iterator[Problem]:
    names = {resource.name for resource in cluster.resources}
    users: dict[str, str] = {}
    for index, group in enumerate(cluster.volume_groups):
        for position, name in enumerate(group.resources):
            path = f"volume_groups[{index}].resources[{position}]"
            if name not in names:
                yield Problem(path, f"there is no DRBD resource {name!r}; declare it in resources")
            elif name in users:
                yield Problem(path, f"{name!r} already belongs to {users[name]!r}; remove it here")
            users.setdefault(name, group.name)


def _luns(cluster: "Cluster") -> Iterator[Problem]:
    exported: dict[str, str] = {}
    for index, target in enumerate(cluster.targets):
        if not is_sound(target) or not is_sound(target.luns):
            continue
        for position, lun in enumerate(target.luns):
            path = f"targets[{index}].luns[{position}]"
            yield from independent(
                cluster,
                _volume(cluster, target, lun, f"{path}.volume", exported),
                _number(cluster, lun, f"{path}.number"),
            )


def _volume(
    cluster: "Cluster", target: Target, lun: Lun, path: str, exported: dict[str, str]
) -> Iterator[Problem]:
    volumes = {f"{group.name}/{v.name}" for group in cluster.volume_groups for v in group.volumes}
    if lun.volume not in volumes:
        known = ", ".join(sorted(volumes))
        yield Problem(path, f"there is no volume {lun.volume!r}, only {known}")
    elif lun.volume in exported:
        yield Problem(
            path,
            f"{lun.volume} is already a LUN of {exported[lun.volume]}: two names for one "
            "disk corrupt it; export it once",
        )
    exported.setdefault(lun.volume, target.name)


def _number(cluster: "Cluster", lun: Lun, path: str) -> Iterator[Problem]:
    if lun.number == 0 and cluster.target_software == "stgt":
        yield Problem(path, "STGT's LUN 0 is its controller, so its data LUNs start at 1; write 1")


def _identities(cluster: "Cluster") -> Iterator[Problem]:
    luns = [lun for target in cluster.targets for lun in target.luns]
    for key in ("scsi_id", "serial"):
        for value in duplicates(each for each in sound(luns, key) if each is not None):
            yield Problem(
                "targets",
                f"{key} {value!r} is there twice: a client would take two LUNs for one disk; give "
                "each its own",
            )
