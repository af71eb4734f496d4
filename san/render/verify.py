"""Online verify: each node compares the replicated disks with its peer's, on a day of its own."""

from collections.abc import Iterator

from san.model import Cluster

from .file import File, public
from .template import raw, text

PROGRAM = "/usr/local/sbin/san-verify"
UNITS = "/etc/systemd/system"
SERVICE = "san-verify.service"
TIMER = "san-verify.timer"
AT_BOOT = f"{UNITS}/timers.target.d/san-verify.conf"
"""A drop-in, and no link: all that a node is to have is a file."""
DAYS = ("Sat", "Wed")
"""Of the first node and of the second: never both."""


def verify_files(cluster: Cluster, node: str) -> Iterator[File]:
    """The program, its service and its timer, in the order in which each needs the one before."""
    day = dict(zip((each.name for each in cluster.nodes), DAYS, strict=True))[node]
    contents = {
        f"{UNITS}/{SERVICE}": text("verify/san-verify.service", resources=cluster.resources),
        f"{UNITS}/{TIMER}": text("verify/san-verify.timer", day=day),
        AT_BOOT: raw("verify/timers.conf"),
    }
    yield public(PROGRAM, raw("verify/san-verify"), "replication", mode=0o755)
    for path, content in contents.items():
        yield public(path, content, "replication")
