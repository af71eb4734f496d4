"""Whether a node serves exactly the declared targets and LUNs."""

import re

from san.model import Cluster
from san.observe.stgt import StgtState

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
