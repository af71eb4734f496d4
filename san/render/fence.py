"""Fencing: what answers DRBD's question whether a node may write alone."""

from collections.abc import Iterator

from san.model import Cluster

from .file import File, public
from .haresources import portal_at
from .limits import fence_program
from .template import raw, text

PROGRAM = "/usr/local/sbin/san-fence"
MESSAGES = ("san-fence-ask", "san-fence-answer")
"""What the nodes' programs say to each other over Heartbeat's links, and the scripts' names."""


def fence_conf(cluster: Cluster) -> str:
    """/etc/san/fence.conf: the portals; the same on both nodes."""
    return text("fence/fence.conf", portals=[portal_at(cluster, each) for each in cluster.portals])


def fence_files(cluster: Cluster) -> Iterator[File]:
    """The handler, its configuration, and Heartbeat's way to it: before DRBD is told of it."""
    yield public(PROGRAM, fence_program(cluster), "replication", mode=0o755)
    yield public("/etc/san/fence.conf", fence_conf(cluster), "replication")
    for message in MESSAGES:
        yield public(f"/etc/ha.d/rc.d/{message}", raw("fence/rc"), "replication", mode=0o755)
