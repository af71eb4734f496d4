"""What is wanted: the site, its clusters and all they are made of, as frozen attrs classes."""

from .cluster import SINGLE_HEARTBEAT_LINK, Client, Cluster, Node
from .heartbeat import Bcast, Heartbeat, Link, Mcast, Ping, Serial, Ucast
from .network import Network, Portal
from .problem import InventoryError, Problem
from .secret import Secret
from .site import Site
from .storage import DrbdResource, Volume, VolumeGroup
from .target import Acl, Chap, Lun, Target

__all__ = [
    "SINGLE_HEARTBEAT_LINK",
    "Acl",
    "Bcast",
    "Chap",
    "Client",
    "Cluster",
    "DrbdResource",
    "Heartbeat",
    "InventoryError",
    "Link",
    "Lun",
    "Mcast",
    "Network",
    "Node",
    "Ping",
    "Portal",
    "Problem",
    "Secret",
    "Serial",
    "Site",
    "Target",
    "Ucast",
    "Volume",
    "VolumeGroup",
]
