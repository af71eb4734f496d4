"""DRBD's devices as the kernel shows them: /proc/drbd of 8.4, JSON of 9, one type for both."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import UnreadableError

_DEVICE = re.compile(
    r"\s*(?P<minor>\d+): cs:(?P<state>\w+)"
    r"(?: ro:(?P<role>\w+)/(?P<peer_role>\w+) ds:(?P<disk>\w+)/(?P<peer_disk>\w+)"
    r" . (?P<flags>\S+))?\s*"
)
_OUT_OF_SYNC = re.compile(r"\boos:(?P<kib>\d+)")
_PERCENT = re.compile(r"(?:sync'ed|verified):\s*(?P<percent>\d+(?:\.\d+)?)%")

_CONNECTIONS: Mapping[str, str] = {"Connecting": "WFConnection"}
"""Names of 9 that 8.4 has another word for."""

APART = {
    "StandAlone",
    "Disconnecting",
    "Unconnected",
    "Timeout",
    "BrokenPipe",
    "NetworkFailure",
    "ProtocolError",
    "TearDown",
    "WFConnection",
    "WFReportParams",
}
"""The connection states of 8.4 in which the peers have not agreed yet; the rest are Connected."""

_RESYNC_PAUSED = re.compile(r".(a..|.p.|..u)")


@attrs.frozen
class Device:
    """A replicated device; states in the words of 8.4 (drbd.conf(5), drbdsetup(8))."""

    connection: str
    """`Connected`, `WFConnection`, `StandAlone`, or a state on the way between them."""
    replication: str | None
    """`Established`, `SyncSource`, `SyncTarget`, `VerifyS`, …; None while not Connected."""
    role: str
    """`Primary` or `Secondary`, as the peer's; the peer's is `Unknown` while not Connected."""
    peer_role: str
    disk: str
    """`UpToDate`, `Consistent`, `Inconsistent`, `Outdated`, `Failed`, `Diskless`, …"""
    peer_disk: str
    """As `disk`; `DUnknown` while not Connected."""
    out_of_sync: int
    """KiB that differ, as far as this node knows."""
    resync_percent: float | None = None
    """How much of a running resync or verify is done; None where none runs."""
    io_suspended: bool = False
    resync_paused: bool = False
    """By this node, by the peer, or to wait for another resource."""

    @property
    def connected(self) -> bool:
        """Whether the nodes talk."""
        return self.connection == "Connected"

    @property
    def comparing(self) -> bool:
        """Whether an online verify runs."""
        return self.replication in {"VerifyS", "VerifyT"}

    @property
    def healthy(self) -> bool:
        """Whether both nodes have the same current data and keep it so."""
        return (self.connected, self.disk, self.peer_disk) == (True, "UpToDate", "UpToDate")


def parse_proc(lines: Iterable[str]) -> dict[int, Device]:
    """Devices by minor, of /proc/drbd.

    Example::

        version: 8.4.11 (api:1/proto:86-101)
        srcversion: 98C5A1A8AAA5A5FDCD5A4AD

         0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----
            ns:26624 nr:0 dw:0 dr:28716 al:0 bm:0 lo:0 pe:2 ua:2 ap:0 ep:1 wo:f oos:1021852
                [>....................] sync'ed:  2.7% (1021852/1048476)K
                finish: 0:00:38 speed: 26,624 (26,624) K/sec
    """
    found: dict[int, Device] = {}
    minor: int | None = None
    read = False
    for line in lines:
        if line.startswith("version:"):
            read = True
        elif match := _DEVICE.fullmatch(line):
            minor = int(match["minor"])
            found[minor] = _device(match)
        elif minor is not None and (match := _OUT_OF_SYNC.search(line)):
            found[minor] = attrs.evolve(found[minor], out_of_sync=int(match["kib"]))
        elif minor is not None and (match := _PERCENT.search(line)):
            found[minor] = attrs.evolve(found[minor], resync_percent=float(match["percent"]))
        elif re.match(r"\s*\d+: ", line):
            raise UnreadableError(f"/proc/drbd has a line of an unknown kind: {line.strip()}")
    if not read:
        raise UnreadableError("/proc/drbd can't be read, though the module is loaded")
    return found


def _device(match: "re.Match[str]") -> Device:
    state = match["state"]
    if match["role"] is None:  # cs:Unconfigured: the minor is there, with neither disk nor peer
        return Device("StandAlone", None, "Secondary", "Unknown", "Diskless", "DUnknown", 0)
    apart = state in APART
    return Device(
        connection=state if apart else "Connected",
        replication=None if apart else ("Established" if state == "Connected" else state),
        role=match["role"],
        peer_role=match["peer_role"],
        disk=match["disk"],
        peer_disk=match["peer_disk"],
        out_of_sync=0,
        io_suspended=match["flags"].startswith("s"),
        resync_paused=_RESYNC_PAUSED.match(match["flags"]) is not None,
    )


def parse_json(text: str) -> dict[int, Device]:
    """Devices by minor, of DRBD 9's `drbdsetup status --json`.

    Example (shortened)::

        [{"name": "r0", "role": "Primary", "suspended": false,
          "devices": [{"volume": 0, "minor": 0, "disk-state": "UpToDate"}],
          "connections": [{"name": "otter", "connection-state": "Connected",
            "peer-role": "Secondary", "peer_devices": [{"volume": 0,
              "replication-state": "Established", "peer-disk-state": "UpToDate",
              "resync-suspended": "no", "out-of-sync": 0, "percent-in-sync": 100.00}]}]}]
    """
    try:
        return {
            int(volume["minor"]): _volume(resource, volume)
            for resource in json.loads(text)
            for volume in resource["devices"]
        }
    except UnreadableError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise UnreadableError(f"drbdsetup printed no status: {problem!r}") from None


def _volume(resource: Mapping[str, Any], volume: Mapping[str, Any]) -> Device:
    connections = resource.get("connections", ())
    if len(connections) > 1:
        peers = ", ".join(each["name"] for each in connections)
        raise UnreadableError(
            f"DRBD's resource {resource['name']} has {len(connections)} peers ({peers}), and this "
            "library knows pairs: leave it with one (drbdadm adjust), or leave this host out"
        )
    peer: Mapping[str, Any] = connections[0] if connections else {}
    state = peer.get("connection-state", "StandAlone")
    its: Mapping[str, Any] = next(
        (each for each in peer.get("peer_devices", ()) if each["volume"] == volume["volume"]), {}
    )
    replication = str(its.get("replication-state", "Off"))
    resyncing = state == "Connected" and replication not in {"Off", "Established"}
    return Device(
        connection=_CONNECTIONS.get(state, state),
        replication=replication if state == "Connected" else None,
        role=resource["role"],
        peer_role=peer.get("peer-role", "Unknown"),
        disk=volume["disk-state"],
        peer_disk=its.get("peer-disk-state", "DUnknown"),
        out_of_sync=int(its.get("out-of-sync", 0)),
        resync_percent=float(its["percent-in-sync"]) if resyncing else None,
        io_suspended=bool(resource.get("suspended", False)),
        resync_paused=its.get("resync-suspended", "no") != "no",
    )
