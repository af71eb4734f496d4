"""Changes of Heartbeat's settings that would part two living nodes."""

from collections.abc import Set

from san.model import Cluster
from san.observe.ha_cf import HaCf, parse_ha_cf
from san.observe.heartbeat import HeartbeatState
from san.render.heartbeat import ha_cf

HA_CF = "/etc/ha.d/ha.cf"
AUTHKEYS = "/etc/ha.d/authkeys"


def deaf(cluster: Cluster, found: HeartbeatState, changed: Set[str]) -> str | None:
    """Why a running node that takes the `changed` files would no longer hear its peer, if so.

    The nodes take a change one after the other. If in between they share neither a link nor a key,
    each believes the other dead after deadtime, and both serve.
    """
    if AUTHKEYS in changed and found.authkeys_mode is not None:
        return (
            "Heartbeat's key differs from the inventory's secret: nodes with different keys don't "
            "hear each other, and both would serve; put the old secret back, or stop Heartbeat on "
            "both nodes first (the standby first), and run again"
        )
    if HA_CF in changed and found.ha_cf is not None:
        wanted = parse_ha_cf(ha_cf(cluster))
        if not _links(found.ha_cf) & _links(wanted):
            return (
                "none of Heartbeat's present links is among the inventory's: while only one node "
                "has the new ones, neither hears the other, and both would serve; keep one link, "
                "run, and take it away in a second run"
            )
    return None


def _links(settings: HaCf) -> set[tuple[object, ...]]:
    """What must be equal on both nodes for a link to work."""
    return {
        (link.kind, *link.arguments, settings.baud if link.kind == "serial" else settings.udpport)
        for link in settings.links
        if not link.kind.startswith("ping")
    }
