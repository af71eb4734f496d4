"""Whether a node serves exactly the declared targets and LUNs."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from san.model import Acl, Cluster
from san.observe.stgt import StgtSession, StgtState

_RESIZE = re.compile(r"resize LUN \d+ of (?P<target>\S+) .*")


def serves_exactly(cluster: Cluster, found: StgtState) -> bool:
    """Every declared target with every declared LUN on its device, and nothing beside them.

    The new size of a LUN in use may be missing still: it comes with the next takeover.
    """
    wanted = {
        target.name: {lun.number: lun.path for lun in target.luns} for target in cluster.targets
    }
    served = {
        target.name: {lun.number: lun.path for lun in target.disks} for target in found.targets
    }
    return found.running and served == wanted and set(found.differs) <= set(new_sizes_left(found))


def new_sizes_left(found: StgtState) -> tuple[str, ...]:
    """The new sizes that a served LUN doesn't take while clients are logged in to its target."""
    used = {target.name for target in found.targets if target.clients}
    resizes = ((line, _RESIZE.fullmatch(line)) for line in found.differs)
    return tuple(line for line, resize in resizes if resize and resize["target"] in used)


def revoked(cluster: Cluster, found: StgtState) -> Iterator[str]:
    """The clients that are logged in where the inventory no longer lets them: `NAME at TARGET`."""
    acls = {target.name: cluster.acl_of(target) for target in cluster.targets}
    for target in found.targets:
        acl = acls.get(target.name)
        if isinstance(acl, Acl):
            names = (each.initiator for each in target.clients if not _admits(acl, each))
            yield from (f"{name} at {target.name}" for name in dict.fromkeys(names))


def _admits(acl: Acl, session: StgtSession) -> bool:
    networks = [ip_network(network) for network in acl.networks]
    return session.initiator in acl.names or (
        bool(session.addresses)
        and all(
            any(ip_address(own) in network for network in networks) for own in session.addresses
        )
    )
