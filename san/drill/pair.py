"""The storage pair before a fault: who serves, and whether the other one could."""

import re
from collections.abc import Iterable

import attrs

from san.lab.lab import Lab

from .errors import DrillRefusedError

TOGETHER = {"Connected", "SyncSource", "SyncTarget", "PausedSyncS", "PausedSyncT"}
"""DRBD's states of a connection over which every new write goes to both nodes."""
ANSWER = 30.0
"""Seconds for a short command by ssh; under emulation a login alone takes one or two."""

# no file: the module isn't loaded, so nothing is Primary there
_READ = "test ! -e /proc/drbd || cat /proc/drbd"
_DEVICE = re.compile(
    r"^\s*\d+: cs:(?P<connection>\S+) ro:(?P<role>\w+)/\w+ ds:(?P<disk>\w+)/(?P<peer_disk>\w+)"
    r" +(?:[ABC] +)?(?P<flow>[rs])",  # no protocol where it is StandAlone
    re.MULTILINE,
)


@attrs.frozen
class Replica:
    """One DRBD device as one node sees it."""

    node: str
    connection: str
    role: str
    disk: str
    peer_disk: str
    flow: str
    """`r` while its I/O runs, `s` while it is suspended."""

    @property
    def connected(self) -> bool:
        """Whether new writes reach the peer as well."""
        return self.connection in TOGETHER

    @property
    def redundant(self) -> bool:
        """Whether the peer has everything that this node acknowledged."""
        return (self.connection, self.disk, self.peer_disk) == ("Connected", "UpToDate", "UpToDate")


def parse_proc_drbd(node: str, text: str) -> tuple[Replica, ...]:
    """Read DRBD 8.4's `/proc/drbd`."""
    return tuple(Replica(node, **match.groupdict()) for match in _DEVICE.finditer(text))


def replicas(lab: Lab, nodes: Iterable[str]) -> tuple[Replica, ...]:
    """Ask the nodes for their DRBD devices."""
    return tuple(
        replica
        for node in nodes
        for replica in parse_proc_drbd(node, lab.ssh(node, _READ, timeout=ANSWER).stdout)
    )


def serving(found: Iterable[Replica]) -> str:
    """Name the node that serves; refused unless it is one, with a peer that can take over."""
    found = tuple(found)
    primaries = sorted({replica.node for replica in found if replica.role == "Primary"})
    if len(primaries) != 1:
        who = " and ".join(primaries) or "no node"
        raise DrillRefusedError(
            f"DRBD is Primary on {who}, and a drill needs one node that serves; "
            "deploy the cluster, or restore the lab's snapshot `deployed`"
        )
    for replica in found:
        if not replica.redundant:
            raise DrillRefusedError(
                f"DRBD on {replica.node} is {replica.connection}, {replica.disk}/"
                f"{replica.peer_disk}: nobody could take over; wait for Connected, "
                "UpToDate/UpToDate, or restore the lab's snapshot `deployed`"
            )
    return primaries[0]
