"""Whose data a run may bring into service while nobody serves."""

from contextlib import suppress

from pyinfra.context import host, state

from operations.node import replication
from operations.observation import forget
from operations.waiting import until
from san.decide.promotion import apart, forbids, unsure
from san.decide.refusal import Refusal
from san.model import Cluster

MEETING = 60
"""Seconds for the nodes to connect and to compare what they have."""


def data_from() -> str | None:
    """The node whose data the user has named (`--data data_from=NODE`)."""
    side = host.data.get("data_from")
    return None if side is None else str(side)


def first_to_serve() -> str:
    """The node that may be promoted. Raises Refusal where no node may.

    DRBD promotes a node that has no connection and doesn't know that its peer has moved on. So
    either both have the newest data, or the user has named the side. A plan says what is missing: a
    run may bring the nodes together before it comes to this.
    """
    cluster: Cluster = host.data.cluster
    side = data_from()
    if state.is_executing:
        forget(cluster)  # DRBD is asked now, whatever this run has read before
        if side is None:
            until("both nodes to have the newest data", _unsure, limit=MEETING)
    reason = _unsure() if side is None else forbids(cluster, side, replication())
    if reason is not None and state.is_executing:
        raise Refusal(reason)
    if reason is not None and all(found.devices for found in replication().values()):
        host.log_styled(f"as it is now, no node would be promoted: {reason}", fg="yellow")
    return side or cluster.preferred.name


def either_may_serve() -> bool:
    """Whether both nodes have the newest data."""
    return _unsure() is None


def left_behind() -> str | None:
    """Why this node might be promoted with older data than its peer serves, if it still is so."""
    with suppress(Refusal):
        until("the nodes to connect", _apart, limit=MEETING)
    return _apart()


def _apart() -> str | None:
    member = host.data.member.name
    return apart(host.data.cluster, member, replication()[member])


def _unsure() -> str | None:
    return unsure(host.data.cluster, replication())
