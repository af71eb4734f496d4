"""Pairs of times that conflict: why, and the smallest change that mends it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from .declare import UnsoundError
from .problem import Problem
from .rule import Change, Rule
from .timing import WATCH_DETECTION, WATCH_DOUBT

if TYPE_CHECKING:
    from .cluster import Cluster

SCSI_COMMAND = 30
"""Seconds that Linux gives a command of a SCSI disk (/sys/block/*/device/timeout)."""

RULES = (
    Rule(
        "warntime-above-keepalive",
        ("heartbeat.keepalive",),
        "heartbeat.warntime",
        "heartbeat.warntime",
        "each heartbeat would be logged as late",
    ),
    Rule(
        "warntime-below-deadtime",
        ("heartbeat.warntime",),
        "heartbeat.deadtime",
        "heartbeat.deadtime",
        "a node would be declared dead before it was ever called late",
    ),
    Rule(
        "deadtime-above-twice-keepalive",
        ("heartbeat.keepalive", "heartbeat.keepalive"),
        "heartbeat.deadtime",
        "heartbeat.deadtime",
        "Heartbeat refuses to start ('Dead time is too small')",
    ),
    Rule(
        "initdead-twice-deadtime",
        ("heartbeat.deadtime", "heartbeat.deadtime"),
        "heartbeat.initdead",
        "heartbeat.initdead",
        "a booting network needs the time (ha.cf(5))",
        equal=True,
    ),
    Rule(
        "drbd-before-heartbeat",
        ("timing.ping_int", "timing.ping_int", "timing.ping_timeout"),
        "heartbeat.deadtime",
        "heartbeat.deadtime",
        "until DRBD notices that its peer is dead, it refuses to promote the node that takes over",
    ),
    Rule(
        "drbd-timeout-below-ping-int",
        ("timing.drbd_timeout",),
        "timing.ping_int",
        "timing.drbd_timeout",
        "DRBD wants a request answered before the connection counts as idle (drbd.conf-8.4(5))",
    ),
    Rule(
        "drbd-timeout-below-connect-int",
        ("timing.drbd_timeout",),
        "timing.connect_int",
        "timing.drbd_timeout",
        "DRBD wants a request answered before it would connect anew (drbd.conf-8.4(5))",
    ),
    Rule(
        "fence-peer-above-deadtime",
        ("heartbeat.deadtime",),
        "timing.fence_peer",
        "timing.fence_peer",
        "a promotion would be given up before Heartbeat knows that the peer is dead",
    ),
    Rule(
        "promotion-below-resource-script",
        ("timing.promotion", "timing.fence_peer"),
        "timing.resource_script",
        "timing.resource_script",
        "a promotion would be killed while it still waits for an answer about the peer",
    ),
    Rule(
        "initiator-before-scsi",
        ("timing.noop_interval", "timing.noop_timeout", "timing.replacement_timeout"),
        None,
        "timing.replacement_timeout",
        "a client's SCSI error handler then holds the I/O that multipath should have back",
        slack=SCSI_COMMAND,
    ),
    Rule(
        "polling",
        ("timing.polling_interval",),
        "timing.max_polling_interval",
        "timing.max_polling_interval",
        "multipath lengthens the one up to the other",
        equal=True,
    ),
    Rule(
        "watch-detection",
        ("timing.watch_interval", "timing.watch_answer", "timing.watch_answer"),
        None,
        "timing.watch_interval",
        f"two looks, {WATCH_DOUBT} s apart, are to tell what clients miss in {WATCH_DETECTION} s",
        slack=WATCH_DETECTION - WATCH_DOUBT,
        equal=True,
    ),
    Rule(
        "watch-slow-lun",
        ("timing.watch_answer", "timing.watch_answer"),
        "timing.watch_slow_lun",
        "timing.watch_slow_lun",
        "two looks at a LUN would be longer than it may be slow",
        equal=True,
    ),
    Rule(
        "watch-start",
        ("timing.volume_group", "timing.target_start"),
        "timing.watch_start",
        "timing.watch_start",
        "the watch would start what Heartbeat is still starting",
        equal=True,
    ),
    Rule(
        "watch-step",
        ("timing.target_stop", "timing.target_start"),
        "timing.watch_step",
        "timing.watch_step",
        "the watch would kill the target's script at its work",
    ),
)


@attrs.frozen
class Conflict:
    """Times that conflict."""

    rule: str
    path: str
    """The time that is blamed, in the cluster."""
    sentence: str
    """Both times, with their values, and the reason."""
    change: Change | None
    """The smallest one; None where no value of one field would do."""

    def problem(self) -> Problem:
        """The conflict as a finding of the inventory."""
        if self.change is None:
            return Problem(self.path, f"{self.sentence}; no change of one alone mends it")
        change = f"the smallest change that mends it: {self.change}"
        return Problem(self.path, f"{self.sentence}; {change}")


def conflicts(cluster: "Cluster") -> tuple[Conflict, ...]:
    """All pairs of times of `cluster` that conflict."""
    return tuple(
        Conflict(rule.name, rule.blamed, rule.sentence(cluster), _smallest(cluster, rule))
        for rule in _broken(cluster)
    )


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """The conflicts as findings of the inventory."""
    return (conflict.problem() for conflict in conflicts(cluster))


def _broken(cluster: "Cluster") -> tuple[Rule, ...]:
    """The rules that `cluster` breaks. A time that follows from others is judged after them."""
    broken = tuple(rule for rule in RULES if _breaks(cluster, rule))
    return tuple(rule for rule in broken if not rule.follows(cluster)) or broken


def _breaks(cluster: "Cluster", rule: Rule) -> bool:
    try:
        return not rule.kept(cluster)
    except UnsoundError:  # one of its times is a finding by itself
        return False


def _smallest(cluster: "Cluster", rule: Rule) -> Change | None:
    """Of the changes that leave the fewest conflicts, the one by the least part of its value."""

    def cost(change: Change) -> tuple[int, float]:
        return len(_broken(change.made(cluster))), change.part

    return min(rule.mends(cluster), key=cost, default=None)
