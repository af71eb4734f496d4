"""STGT: what the resource script makes tgtd serve."""

import zlib
from collections.abc import Sequence
from hashlib import sha256

from san.model import Acl, Chap, Cluster, Everyone, InventoryError, Lun, Problem, Target

from .acl import addresses, names
from .template import text

_FLAGS = {"fileio": "sync", "blockio": "sync:direct"}
"""How tgtd opens the device: see docs/resource-scripts.md, "No acknowledged write is lost"."""

_TIDS = 0x7FFF
"""Target ids are 1 to this; tgtd takes larger ones, its tools print them unwell."""


def scsi_id(target: Target, lun: Lun) -> str:
    """A LUN's identity as 32 hex digits: the same on both nodes, whatever the order of targets.

    An initiator knows a disk by it; a target that answers with another one after a takeover has
    lost the client's disk. It begins as an NAA identifier of type 6 does, with no vendor's number.
    """
    if lun.scsi_id is not None:
        return lun.scsi_id
    digest = sha256(f"{target.name} {lun.number}".encode()).hexdigest()
    return f"6{'0' * 6}{digest[:25]}"


def wwid(target: Target, lun: Lun) -> str:
    """What udev and multipath call the LUN on a client: /dev/mapper/WWID."""
    return f"3{scsi_id(target, lun)}"


def tids(targets: Sequence[Target]) -> dict[str, int]:
    """A target id for each name: from the name, so that other targets may come and go."""
    found: dict[str, int] = {}
    for name in sorted(target.name for target in targets):
        tid = zlib.crc32(name.encode()) % _TIDS + 1
        while tid in found.values():
            tid = tid % _TIDS + 1
        found[name] = tid
    return found


def _accounts(targets: Sequence[Target]) -> list[Chap]:
    """Every CHAP user once: tgtd knows a user by its name, whatever the target."""
    users: dict[str, Chap] = {}
    for index, target in enumerate(targets):
        if target.chap is None:
            continue
        known = users.setdefault(target.chap.user, target.chap)
        if known.secret.reveal() != target.chap.secret.reveal():
            sentence = (
                f"user {known.user!r} has another secret at another target, and STGT keeps one "
                "secret for a user; give each target its own user"
            )
            raise InventoryError([Problem(f"targets[{index}].chap", sentence)])
    return list(users.values())


def _admitted(cluster: Cluster, acl: Acl | Everyone) -> tuple[str, ...]:
    """The ACL's addresses, and the portals' own: from there the node's watch looks.

    A host that isn't the serving node can't connect from one of its addresses, so nobody else is
    let in.
    """
    found = addresses(acl)
    own = () if "ALL" in found else (portal.ip for portal in cluster.portals)
    return tuple(dict.fromkeys((*found, *own)))


def stgt_conf(cluster: Cluster) -> str:
    """/etc/san/stgt.conf, for the resource script; the same on both nodes."""
    numbers = tids(cluster.targets)
    targets = [
        {
            "tid": numbers[target.name],
            "name": target.name,
            "user": target.chap.user if target.chap else None,
            "addresses": _admitted(cluster, cluster.acl_of(target)),
            "names": names(cluster.acl_of(target)),
            "luns": [
                {
                    "number": lun.number,
                    "flags": _FLAGS[lun.iotype],
                    "scsi_id": scsi_id(target, lun),
                    "serial": lun.serial or scsi_id(target, lun)[-16:],
                    "path": lun.path,
                }
                for lun in target.luns
            ],
        }
        for target in cluster.targets
    ]
    return text(
        "stgt/stgt.conf",
        portals=cluster.portals,
        accounts=_accounts(cluster.targets),
        targets=targets,
    )
