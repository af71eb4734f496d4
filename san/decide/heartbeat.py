"""Changes of Heartbeat's settings that would part two living nodes."""

from collections.abc import Mapping, Set

from san.model import Cluster
from san.observe.ha_cf import DEADTIME, KEEPALIVE, HaCf, parse_ha_cf
from san.observe.heartbeat import HeartbeatState
from san.render.heartbeat import ha_cf

HA_CF = "/etc/ha.d/ha.cf"
AUTHKEYS = "/etc/ha.d/authkeys"

_STOP = "stop Heartbeat on both nodes first (the standby first), and run again"


def deaf(
    cluster: Cluster,
    states: Mapping[str, HeartbeatState],
    changed: Set[str],
    other_keys: Set[str] = frozenset(),
) -> str | None:
    """Why a node that takes the `changed` files would no longer hear its peer, if so.

    The nodes take a change one after the other. If in between they share neither a link nor a key,
    or if one waits less long than the other is silent, each believes the other dead after deadtime,
    and both serve. `states` are those of the nodes that this run sees; `other_keys` names those
    that have another key than the inventory's.
    """
    running = {name: found for name, found in states.items() if found.running}
    keyed = [name for name in running if name in other_keys]
    if AUTHKEYS in changed and keyed:
        return (
            f"Heartbeat's key differs from the inventory's secret, and it runs on {keyed[0]}: "
            "nodes with different keys don't hear each other, and both would serve; put the old "
            f"secret back, or {_STOP}"
        )
    if HA_CF not in changed and not any(found.outdated for found in running.values()):
        return None  # an outdated one takes what lies there: somebody else may have written that
    reasons = (
        # Each by its own interfaces' names.
        _parting(name, found, parse_ha_cf(ha_cf(cluster.seen_from(name))))
        for name, found in running.items()
    )
    return next((reason for reason in reasons if reason), None)


def _parting(node: str, found: HeartbeatState, wanted: HaCf) -> str | None:
    """Why the Heartbeat of `node` wouldn't hear one with the `wanted` settings, or not in time."""
    present = found.ha_cf
    if present is None:
        return (
            f"Heartbeat runs on {node}, and the {HA_CF} that it runs by isn't there any more: what "
            f"it hears isn't known; {_STOP}"
        )
    same = _links(present) == _links(wanted) and _times(present) == _times(wanted)
    if found.outdated and not same:
        return (
            f"Heartbeat on {node} runs by an older ha.cf than lies there, so what it hears isn't "
            "known, and its links and times stay until it runs by the newer one: write those of "
            f"{node}'s {HA_CF} into the inventory, run, and change them in a second run; or {_STOP}"
        )
    if not _links(present) & _links(wanted) or not _heard(found, wanted):
        return (
            f"none of the links of Heartbeat on {node} is among the inventory's: while only one "
            "node has the new ones, neither hears the other, and both would serve; keep one link, "
            f"run, and take it away in a second run; or {_STOP}"
        )
    (keepalive, deadtime), (new_keepalive, new_deadtime) = _times(present), _times(wanted)
    often, patient = min(keepalive, new_keepalive), max(deadtime, new_deadtime)
    if min(deadtime, new_deadtime) <= 2 * max(keepalive, new_keepalive):
        return (
            f"Heartbeat on {node} has keepalive {keepalive:g} and deadtime {deadtime:g}, the "
            f"inventory says {new_keepalive:g} and {new_deadtime:g}: while only one node has the "
            "new times, one would take the other for dead; go by keepalive "
            f"{often:g} and deadtime {patient:g}, and on from there in a second run; or {_STOP}"
        )
    return None


def _links(settings: HaCf) -> set[tuple[object, ...]]:
    """What must be equal on both nodes for a link to work."""
    return {
        # Of multicast: interface, group and port, and not how far it goes.
        (link.kind, *link.arguments[:3], link.rate)
        for link in settings.links
        if link.name is not None
    }


def _heard(found: HeartbeatState, wanted: HaCf) -> bool:
    """Whether the process itself has one of the links, as far as it answers."""
    nodes = [each for each in (found.nodes or {}).values() if each.kind == "normal"]
    names = {link.name for link in wanted.links}
    return not nodes or any(names & each.links.keys() for each in nodes)


def _times(settings: HaCf) -> tuple[float, float]:
    """Seconds between two heartbeats, and of silence until the peer is dead."""
    return settings.keepalive or KEEPALIVE, settings.deadtime or DEADTIME
