"""What is wanted: the site, its clusters and all they are made of, as frozen attrs classes."""

from .cluster import Client, Cluster, Node
from .heartbeat import Bcast, Heartbeat, Link, Mcast, Ping, Serial, Ucast, Watchdog
from .kmodule import Archive, Directory, KernelModule, Kernels, Patch, Signing, Tool
from .network import Network, Portal
from .problem import InventoryError, Problem
from .secret import Secret
from .site import Site
from .stonith import Stonith
from .storage import DrbdResource, Volume, VolumeGroup
from .target import Acl, Chap, Everyone, Lun, Target
from .timing import Timing
from .warning import LOST_RESERVATIONS, PORTALS_SHARE_SUBNET, SINGLE_HEARTBEAT_LINK

__all__ = [
    "LOST_RESERVATIONS",
    "PORTALS_SHARE_SUBNET",
    "SINGLE_HEARTBEAT_LINK",
    "Acl",
    "Archive",
    "Bcast",
    "Chap",
    "Client",
    "Cluster",
    "Directory",
    "DrbdResource",
    "Everyone",
    "Heartbeat",
    "InventoryError",
    "KernelModule",
    "Kernels",
    "Link",
    "Lun",
    "Mcast",
    "Network",
    "Node",
    "Patch",
    "Ping",
    "Portal",
    "Problem",
    "Secret",
    "Serial",
    "Signing",
    "Site",
    "Stonith",
    "Target",
    "Timing",
    "Tool",
    "Ucast",
    "Volume",
    "VolumeGroup",
    "Watchdog",
]
