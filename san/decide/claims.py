"""Whether somebody else's DRBD resource has, or claims, what ours is to have."""

from collections.abc import Iterator

from san.model import DrbdResource
from san.observe.disks import Disk
from san.observe.drbd_claims import Claim, Claims

FILE = "/etc/drbd.d/{}.res"
"""Where a resource of ours is defined."""


def stranger(resource: DrbdResource, node: str, claims: Claims) -> str | None:
    """Whose the device is in the kernel of `node`, where it isn't ours: its role isn't, too.

    Or where ours is another one there: DRBD would take its disk away, and give it to the new one.
    """
    for own in claims.running:
        if own.resource == resource.name and own.minor != resource.minor:
            return (
                f"{resource.name} has /dev/drbd{own.minor} on {node}, and the inventory says "
                f"{resource.device}; write minor={own.minor} there: nothing is gained by another "
                "number, and DRBD would have to give up the disk for it"
            )
    claim = claims.attached(resource.minor)
    if claim is None or claim.resource == resource.name:
        return None
    return (
        f"{resource.device} is the DRBD resource {claim.resource!r} on {node}, not "
        f"{resource.name}; give {resource.name} another minor in the inventory, or move that one "
        "away by hand"
    )


def foreign(resource: DrbdResource, node: str, disk: Disk, claims: Claims) -> str | None:
    """Whose the minor, the disk, the port or the name is that `resource` is to have.

    drbdadm refuses all resources of a host where two claim one of these, so nothing is installed
    beside such a one.
    """
    if reason := stranger(resource, node, claims):
        return reason
    if claims.problem is not None:
        return f"drbdadm can't read the node's resources: {claims.problem}; repair that file first"
    for claim in claims.configured:
        if taken := tuple(_taken(resource, disk, claim)):
            return (
                f"the DRBD resource {claim.resource!r} ({claim.file}) has "
                f"{', '.join(taken)}, which the inventory gives to {resource.name}; give "
                f"{resource.name} another one there, or move {claim.resource!r} away by hand"
            )
    return None


def _taken(resource: DrbdResource, disk: Disk, claim: Claim) -> Iterator[str]:
    """What `claim` has of what `resource` is to have, where that isn't our own."""
    ours = claim.resource == resource.name
    if ours and claim.file == FILE.format(resource.name):
        return
    if ours:
        yield "its name"
    if claim.minor == resource.minor:
        yield resource.device
    if claim.device is not None and claim.device == disk.device:
        yield f"{disk.path} ({disk.device})"
    if claim.port == resource.port:
        yield f"port {resource.port}"
