"""What is not yet as it should be, in a sentence."""

from collections.abc import Mapping

from san.model import Client, Cluster
from san.observe.drbd import DrbdState
from san.observe.initiator import InitiatorState
from san.observe.watch import WatchState
from san.render.stgt import wwid

DAY = 24 * 3600
"""Seconds."""
OVERDUE = 15 * DAY
"""Two weeks in which both nodes' timers compared nothing, and a day for the comparison itself."""


def replication_amiss(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """Which resource isn't UpToDate on both nodes."""
    for resource in cluster.resources:
        for node, state in states.items():
            device = state.devices.get(resource.minor)
            if device is None:
                return f"{resource.name} isn't configured on {node}"
            if device.connection == "StandAlone" and device.disk != "Diskless":
                return (
                    f"{resource.name} is StandAlone on {node}: DRBD gave up the connection, for a "
                    "reason that journalctl -k tells; mend that, then drbdadm connect "
                    f"{resource.name}"
                )
            if not device.healthy:
                return (
                    f"{resource.name} on {node} is {device.connection}, "
                    f"{device.disk}/{device.peer_disk}"
                )
            if device.out_of_sync:
                return (
                    f"{device.out_of_sync} KiB of {resource.name} differ between the nodes, by "
                    f"what {node} found when it compared them, and one of two copies is wrong; "
                    "docs/runbook.md, 'Blocks that differ'"
                )
    return None


def comparison_overdue(cluster: Cluster, states: Mapping[str, DrbdState], now: float) -> str | None:
    """Which resource wasn't compared for too long; `now` is in seconds since the epoch.

    Both nodes' timers count, and what they found: a difference has to be compared anew.
    """
    for resource in cluster.resources:
        found = [
            state.compared[resource.name]
            for state in states.values()
            if resource.name in state.compared
        ]
        last = max(found, key=lambda each: each.at, default=None)
        if last is not None and last.differs:
            return (
                f"{last.differs} KiB of {resource.name} differed when it was compared last; when "
                "they are mended, compare it again: systemctl start san-verify"
            )
        since = [each.scheduled for each in states.values() if each.scheduled is not None]
        began = last.at if last is not None else min(since, default=None)
        if began is not None and now - began > OVERDUE:
            return (
                f"{resource.name} was {'last' if last else 'never'} compared between the nodes, in "
                f"{(now - began) / DAY:.0f} days: journalctl -u san-verify on both nodes says why"
            )
    return None


def watch_amiss(node: str, state: WatchState) -> str | None:
    """What the watch on the serving node finds amiss: a login and a read say more than a list."""
    report = state.report
    if not state.running or report is None or report.stale:
        return f"the watch on {node} says nothing; look at: journalctl -u san-watch"
    if report.role == "unknown":
        return f"the watch on {node} can't look: {report.waits}"
    found = [f"{each.what}: {each.said}" for each in report.findings]
    return f"the watch on {node} finds {'; '.join(found)}" if found else None


def paths_amiss(cluster: Cluster, client: Client, state: InitiatorState) -> str | None:
    """Which LUN that `client` may see lacks a path through which portal, as it sees it."""
    for target in cluster.targets:
        # By portal, not by number: a client may have several interfaces, so several paths to one.
        disks = {
            portal.ip: {
                disk
                for session in state.sessions
                if (session.target, session.address) == (target.name, portal.ip)
                for disk in session.disks
            }
            for portal in cluster.portals_for(client, target)
        }
        for lun in target.luns if disks else ():
            name = wwid(target, lun)
            found = next((each for each in state.maps if each.wwid == name), None)
            if found is None:
                return f"LUN {lun.number} of {target.name} has no multipath map {name}"
            active = {path.device for path in found.paths if path.active}
            without = [address for address, own in disks.items() if not own & active]
            if without:
                return (
                    f"LUN {lun.number} of {target.name} has no path by the portal "
                    f"{' and '.join(without)}; look at: iscsiadm -m session -P 3; multipath -ll"
                )
    return None
