"""A gap in phases: what clients wait for at each kind of fault, and how long.

Expected is each timer at the middle of its cycle; worst is each at its end, with one step that
needs all of its limit. What no timer sets, a machine's pace, is `Pace`.
"""

from collections.abc import Callable

import attrs

from san.model import Cluster
from san.model.timing import WATCH_DOUBT

RETRY = 3
"""Seconds that iscsid waits after an attempt to connect that was refused (open-iscsi's
ISCSI_CONN_ERR_REOPEN_DELAY); no setting changes it. One that had no answer is followed at once."""
LOOK = 1
"""Seconds between iscsid's looks at an attempt to connect (EV_CONN_POLL); no setting changes it."""

DETECTION, FENCING, TAKEOVER, RECOVERY = "detection", "fencing", "takeover", "client_recovery"
"""The phases; all but fencing as in san.drill.timeline."""


@attrs.frozen
class Pace:
    """How fast the machines do what no timer sets, in seconds."""

    takeover: float = 6
    """Declared dead to the last resource started, under software emulation on 2 cores, by our
    scripts: 5.7 and 7.2 were measured. It is the time of process starts: hardware needs less, a
    loaded machine more, and Heartbeat's stock scripts more than twice as much. Measure yours."""
    release: float = 2.5
    """The group's stop at a planned move, from the first resource stopped to DRBD's Secondary; and
    what Heartbeat says to its peer until the other node begins."""
    login: float = 0.5
    """A login and the first command, once the portal is there."""
    restart: float = 3
    """The target daemon killed and started in place. Its start was measured with 1.1 under
    emulation; the rest is assumed."""
    handler: float = 1
    """san-fence, DRBD's fence-peer handler, where the peer answers at once. Assumed: a few
    processes and two messages."""
    fencing: float = 0
    """A STONITH device's answer, which Heartbeat waits for before it takes over. 0: none."""


LAB = Pace()


@attrs.frozen
class Part:
    """One phase of a gap, in seconds."""

    name: str
    expected: float
    worst: float


Gap = Callable[[Cluster, Pace], tuple[Part, ...]]
"""The phases of a fault, one after the other."""


def _noticed(attempt: int) -> tuple[float, float]:
    """How long a connection stands until iscsid sees it, expected and at worst.

    The request waits in the client's kernel for the portal's first word, and leaves with it.
    iscsid looks at it once a second; one that stands in an attempt's last second costs the next
    attempt's first, too.
    """
    return LOOK / 2 + LOOK**2 / attempt, 2 * LOOK


def _client(cluster: Cluster, pace: Pace, before: Part, *, silent: bool) -> Part:
    """From the last resource started to the first acknowledgement.

    Where nobody answers for the portals until they are served (`silent`), the request that is under
    way meets the target. Where somebody refuses, iscsid pauses. A session that hasn't been found
    broken by then comes first.
    """
    timing = cluster.timing
    poll = timing.polling_interval
    noop = timing.noop_interval, timing.noop_timeout
    late_expected = max(0, noop[0] / 2 + noop[1] - before.expected) if silent else 0
    late_worst = max(0, sum(noop) - before.expected) if silent else 0
    if silent and cluster.portals_last:
        expected, worst = _noticed(timing.login_timeout)
    else:
        worst = (timing.login_timeout if silent else 0) + RETRY
        expected = worst / 2
    return Part(
        RECOVERY,
        round(late_expected + expected + pace.login + poll / 2, 2),
        late_worst + worst + pace.login + poll,
    )


def _slow(cluster: Cluster) -> int:
    """The longest limit among the steps of a takeover, one of which may need all of it."""
    timing = cluster.timing
    return max(timing.target_start, timing.volume_group, cluster.fence_peer)


def gone(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """The serving node falls silent: the other waits for deadtime, and takes over."""
    heartbeat = cluster.heartbeat
    # Silence counts from the last heartbeat, so a fault right after one costs all of deadtime; the
    # other node looks for silent ones about as often as it beats.
    parts = (
        Part(DETECTION, heartbeat.deadtime, heartbeat.deadtime + heartbeat.keepalive),
        Part(FENCING, pace.fencing, pace.fencing),
        Part(TAKEOVER, pace.takeover, pace.takeover + _slow(cluster)),
    )
    return (*parts, _client(cluster, pace, _sum(parts), silent=True))


def _sum(parts: tuple[Part, ...]) -> Part:
    return Part("sum", sum(part.expected for part in parts), sum(part.worst for part in parts))


def frozen(seconds: int) -> Gap:
    """The node stands still for that long; a shorter time than deadtime moves nothing."""

    def parts(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
        if seconds < cluster.heartbeat.deadtime:
            return (Part(DETECTION, seconds, seconds),)
        return gone(cluster, pace)

    return parts


def unwatched(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """Heartbeat dies, the rest goes on: clients are served until the watchdog resets the node.

    The gap begins there (`Heartbeat.reset_after`): the peer is about to try, and goes on once DRBD
    has noticed.
    """
    notice = cluster.timing.peer_notice
    _, *others, _ = gone(cluster, pace)
    parts = (Part(DETECTION, notice, notice), *others)
    return (*parts, _client(cluster, pace, _sum(parts), silent=True))


def moved(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """The group stops on one node and starts on the other; nobody has to find out anything."""
    slow = max(_slow(cluster), cluster.timing.target_stop)
    move = pace.release + pace.takeover
    parts = (Part(TAKEOVER, move, move + slow),)
    return (*parts, _client(cluster, pace, _sum(parts), silent=cluster.portals_last))


def unplugged(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """The serving node's storage links are gone: the watch sees it, and moves the group."""
    timing = cluster.timing
    every, cut = timing.watch_interval, timing.watch_cut
    found = Part(DETECTION, every / 2 + cut, every + cut + every)  # the look after `cut` acts
    (move, _) = moved(cluster, pace)
    return (found, move, _client(cluster, pace, _sum((found, move)), silent=True))


def one_path(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """One of several paths: its commands come back to multipath, which uses the others."""
    if len(cluster.portals) == 1:
        return unplugged(cluster, pace)
    timing = cluster.timing
    back = timing.replacement_timeout
    return (
        Part(
            DETECTION,
            timing.noop_interval / 2 + timing.noop_timeout,
            timing.noop_interval + timing.noop_timeout,
        ),
        Part(RECOVERY, back, back + timing.polling_interval),
    )


def target(*, hung: bool) -> Gap:
    """The target daemon ends, or answers no more: the watch sees it, and restarts it in place."""

    def parts(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
        timing = cluster.timing
        # Two looks, the second after the doubt's pause; a daemon that hangs costs each its answer.
        looks = WATCH_DOUBT + (2 * timing.watch_answer if hung else 0)
        slow = max(timing.target_start, timing.target_stop)
        parts = (
            Part(DETECTION, timing.watch_interval / 2 + looks, timing.watch_interval + looks),
            Part(TAKEOVER, pace.restart, pace.restart + slow),
        )
        return (*parts, _client(cluster, pace, _sum(parts), silent=False))

    return parts


def apart(cluster: Cluster, pace: Pace) -> tuple[Part, ...]:
    """Replication breaks: writes wait until DRBD has noticed and san-fence has an answer.

    A busy connection's last packet is the last acknowledgement, so all of the notice is waited for.
    """
    notice = cluster.timing.peer_notice
    return (
        Part(DETECTION, notice, notice),
        Part(FENCING, pace.handler, max(pace.handler, cluster.timing.fence_answer)),
    )
