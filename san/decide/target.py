"""Whether a node serves exactly the declared targets and LUNs."""

from san.model import Cluster
from san.observe.stgt import StgtState


def serves_exactly(cluster: Cluster, found: StgtState) -> bool:
    """Every declared target with every declared LUN on its device, and nothing beside them."""
    wanted = {
        target.name: {lun.number: lun.path for lun in target.luns} for target in cluster.targets
    }
    served = {
        target.name: {lun.number: lun.path for lun in target.disks} for target in found.targets
    }
    return found.running and served == wanted
