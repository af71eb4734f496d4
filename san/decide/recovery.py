"""After a split brain: what each side has, and how one gives up its changes."""

from collections.abc import Iterator, Mapping

import attrs

from san.model import Cluster, DrbdResource
from san.observe.drbd import DrbdState
from san.observe.drbd_changes import Changes, ChangesState
from san.observe.drbd_devices import Device
from san.observe.drbd_history import HistoryState, Past
from san.observe.heartbeat import HeartbeatState
from san.observe.stgt import StgtState

from .generations import Relation
from .health import replication_amiss
from .parting import relation

Command = tuple[str, ...]


@attrs.frozen
class Evidence:
    """What is known of a node."""

    drbd: DrbdState
    history: HistoryState
    heartbeat: HeartbeatState
    target: StgtState

    @property
    def clients(self) -> tuple[str, ...]:
        """The initiators that are logged in here."""
        return tuple(
            sorted({each.initiator for target in self.target.targets for each in target.sessions})
        )


@attrs.frozen
class Where:
    """Where a side has changed, in KiB."""

    luns: Mapping[str, int]
    """By LUN, or by volume where that is none."""
    elsewhere: int
    """In no volume: LVM's own metadata, free room."""
    uncounted: int
    """The rest, whose place DRBD has in memory alone."""
    active: tuple[str, ...]
    """LUNs that the rest may be in."""
    unknown: str | None
    """Why it isn't known at all."""


@attrs.frozen
class Side:
    """A resource on a node. Times are seconds since the epoch, by that node's clock and journal."""

    node: str
    connection: str
    role: str
    disk: str
    generation: str | None
    changed_kib: int
    """What the other side lacks, in whole blocks of 4 KiB."""
    changed: Where
    """The same by LUN."""
    parted: float | None
    changed_from: float | None
    """The first change without the peer."""
    changed_until: float | None
    """It could change nothing later: it became Secondary. None: it is Primary, or not known."""
    primary: float | None
    """When it last became Primary."""
    heartbeat: bool
    clients: tuple[str, ...]
    """Initiators that are logged in at the node."""


@attrs.frozen
class Standing:
    """How a resource stands."""

    resource: str
    relation: Relation | None
    """The first side's data, compared with the second's; None while connected, or unknown."""
    luns: tuple[str, ...]
    """What lies on it: targets' LUNs."""
    sides: tuple[Side, ...]


def standings(
    cluster: Cluster, evidence: Mapping[str, Evidence], changes: Mapping[str, ChangesState]
) -> tuple[Standing, ...]:
    """How each resource stands on the nodes, the first node's side first."""
    states = _drbd(evidence)
    return tuple(
        Standing(
            resource=resource.name,
            relation=relation(cluster, resource, states),
            luns=tuple(_luns(cluster, resource).values()),
            sides=tuple(
                _side(cluster, resource, node.name, evidence[node.name], changes.get(node.name))
                for node in cluster.nodes
                if node.name in evidence
            ),
        )
        for resource in cluster.resources
    )


def _side(
    cluster: Cluster, resource: DrbdResource, node: str, of: Evidence, changes: ChangesState | None
) -> Side:
    device = of.drbd.devices.get(resource.minor) or _ABSENT
    generation = of.drbd.generations.get(resource.name)
    past = of.history.resources.get(resource.name, Past())
    began, ended = past.moved_on, past.secondary
    over = device.role == "Secondary" and began is not None and ended is not None and ended > began
    return Side(
        node=node,
        connection=device.connection,
        role=device.role,
        disk=device.disk,
        generation=generation.current if generation else None,
        changed_kib=device.out_of_sync,
        changed=_where(
            _luns(cluster, resource),
            device.out_of_sync,
            (changes.resources if changes else {}).get(resource.minor, Changes()),
        ),
        parted=past.parted,
        changed_from=began,
        changed_until=ended if over else None,
        primary=past.primary,
        heartbeat=of.heartbeat.running,
        clients=of.clients,
    )


_ABSENT = Device("Unconfigured", None, "Secondary", "Unknown", "Diskless", "DUnknown", 0)


def _where(luns: Mapping[str, str], changed: int, found: Changes) -> Where:
    counted = sum(found.volumes.values()) + found.elsewhere
    uncounted = 0 if found.unknown else max(0, changed - counted)
    return Where(
        luns={luns.get(volume, volume): kib for volume, kib in found.volumes.items()},
        elsewhere=found.elsewhere,
        uncounted=uncounted,
        active=tuple(luns.get(volume, volume) for volume in found.active) if uncounted else (),
        unknown=found.unknown,
    )


def _luns(cluster: Cluster, resource: DrbdResource) -> dict[str, str]:
    """The LUNs on a resource, by their volume (`GROUP/NAME`)."""
    groups = [group for group in cluster.volume_groups if resource.name in group.resources]
    return {
        lun.path.removeprefix("/dev/"): f"{target.name} LUN {lun.number} ({lun.volume})"
        for target in cluster.targets
        for lun in target.luns
        if any(group.contains(lun.path) for group in groups)
    }


def split(cluster: Cluster, states: Mapping[str, DrbdState]) -> tuple[DrbdResource, ...]:
    """The resources that have a split brain."""
    return tuple(each for each in cluster.resources if relation(cluster, each, states) == "split")


def forbids(cluster: Cluster, victim: str, evidence: Mapping[str, Evidence]) -> str | None:
    """Why `victim` must not give up its changes now."""
    if victim not in {node.name for node in cluster.nodes}:
        names = " or ".join(node.name for node in cluster.nodes)
        return f"{victim!r} is no node of the cluster {cluster.name}: name {names} as the victim"
    states = _drbd(evidence)
    parted = split(cluster, states)
    for resource in cluster.resources:
        device = states[victim].devices.get(resource.minor)
        if resource not in parted and not (device is not None and device.connected):
            found = relation(cluster, resource, states)
            data = f"its data on the nodes is {found}" if found else "what it has isn't known"
            return (
                f"{resource.name} isn't connected, and no split brain: {data}; there is nothing to "
                "discard; look at the replication network and its port"
            )
    if not parted:
        return None
    if evidence[victim].clients:
        return (
            f"clients are logged in at {victim} ({', '.join(evidence[victim].clients)}): what they "
            f"write there would be lost; stop it first: on {victim}, systemctl stop heartbeat"
        )
    if evidence[victim].heartbeat.running:
        return (
            f"Heartbeat runs on {victim}, and may let it serve meanwhile; stop it first: on "
            f"{victim}, systemctl stop heartbeat"
        )
    survivor = cluster.peer(victim).name
    reasons = (_not_whole(each, victim, survivor, states) for each in parted)
    return next((reason for reason in reasons if reason), None)


def _not_whole(
    resource: DrbdResource, victim: str, survivor: str, states: Mapping[str, DrbdState]
) -> str | None:
    name = resource.name
    own, its = (states[node].devices.get(resource.minor, _ABSENT) for node in (victim, survivor))
    generation = states[survivor].generations[name]
    if its.disk != "UpToDate" or generation is None or generation.outdated:
        return (
            f"{name} is {its.disk} on {survivor}: the only good copy may be {victim}'s; mend "
            f"{survivor} first"
        )
    if own.disk == "Diskless":
        return f"{name} has no disk on {victim}: attach it first, drbdadm attach {name}"
    # DRBD's own choice comes before the intention to discard (after-sb-0pri discard-zero-changes).
    if its.out_of_sync == 0 and own.out_of_sync > 0:
        return (
            f"{survivor} has changed nothing of {name}, and {victim} {own.out_of_sync} KiB: DRBD "
            f"would keep {victim}'s, which has all of it; name {survivor} as the victim"
        )
    if its.out_of_sync == own.out_of_sync == 0 and its.role == "Primary":
        return (
            f"neither side has changed anything of {name}, so DRBD chooses by itself; let a client "
            f"write something on {survivor}, which is Primary, first"
        )
    return None


def gives_up(resource: DrbdResource, state: DrbdState) -> Iterator[Command]:
    """The commands (argument lists) with which a node drops its changes and follows its peer."""
    if state.devices[resource.minor].connection != "StandAlone":
        yield ("drbdadm", "disconnect", resource.name)
    yield ("drbdadm", "connect", "--discard-my-data", resource.name)


def uncopied(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """What is still to be copied, or keeps it from being copied."""
    for resource in cluster.resources:
        for node, state in states.items():
            device = state.devices.get(resource.minor, _ABSENT)
            if not device.healthy:
                done = device.resync_percent
                return (
                    f"{resource.name} on {node} is {device.replication or device.connection}, "
                    f"{device.disk}/{device.peer_disk}"
                    + (f", {done:.0f} % copied" if done is not None else "")
                )
    return None


def differs(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """Which resource's generation isn't the same on both nodes, though they are connected."""
    for resource in cluster.resources:
        found = {
            generation.current[:-1] if generation else None
            for generation in (state.generations.get(resource.name) for state in states.values())
        }
        if len(found) > 1 or None in found:
            return (
                f"{resource.name} is UpToDate on both nodes, and their generations differ: "
                f"compare them with drbdadm get-gi {resource.name}"
            )
    return None


def uncompared(cluster: Cluster, states: Mapping[str, DrbdState]) -> str | None:
    """What is still being compared."""
    for resource in cluster.resources:
        for node, state in states.items():
            device = state.devices.get(resource.minor, _ABSENT)
            if device.comparing:
                done = device.resync_percent or 0
                return f"{resource.name} on {node}: {done:.0f} % compared"
    at_work = [node for node, state in states.items() if state.verifying]
    return f"san-verify is at work on {at_work[0]}" if at_work else None


def unequal(cluster: Cluster, states: Mapping[str, DrbdState], node: str) -> str | None:
    """What the comparison that `node` began found to differ, or that it has no result."""
    for resource in cluster.resources:
        if resource.name not in states[node].compared:
            return (
                f"the comparison of {resource.name} has ended before its end: journalctl -u "
                f"san-verify on {node} says why; run this again"
            )
    return replication_amiss(cluster, states)


def _drbd(evidence: Mapping[str, Evidence]) -> dict[str, DrbdState]:
    return {node: each.drbd for node, each in evidence.items()}
