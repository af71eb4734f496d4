"""Every time that is not Heartbeat's own: how long each layer waits before it acts.

All are seconds, as the user writes them; a renderer turns them into a file's own unit. Heartbeat's
four stand in `Heartbeat`. Pairs that conflict are refused by `san.model.conflict`, and
`san.decide.budget` says what they add up to when something breaks.
"""

from math import ceil

import attrs

from .declare import declared, optional, tenths, whole

_SECONDS = "a number of seconds"

FENCE_MARGIN = 14
"""Seconds of a promotion beyond deadtime: some answers of the peer, on a node that is starved of
processor time."""

WATCH_DETECTION = 10
"""Seconds within which the watch must know that clients are not served."""
WATCH_DOUBT = 1
"""Seconds after which the watch looks into a failure once more, before it counts."""


@attrs.frozen
class Timing:
    """Times in seconds, of DRBD, the initiator, multipath, the resource scripts and the watch."""

    ping_int: int = declared(whole(1, 120, _SECONDS), default=3)
    """DRBD: silence on the connection before a ping is sent (drbd.conf-8.4(5)). With `ping_timeout`
    it is how long a dead peer still counts as connected, and as Primary."""
    ping_timeout: float = declared(tenths(0.1, 30), default=1.5)
    """DRBD: how long the peer may take to answer a ping."""
    drbd_timeout: float = declared(tenths(0.1, 60), default=2.5)
    """DRBD: how long it may take to answer a request; below `ping_int` and `connect_int`."""
    connect_int: int = declared(whole(1, 120, _SECONDS), default=3)
    """DRBD: between two attempts to connect."""

    noop_interval: int = declared(whole(1, 600, _SECONDS), default=2)
    """Initiator: between two NOP-Outs on an idle session (iscsid.conf, open-iscsi's README 8)."""
    noop_timeout: int = declared(whole(1, 600, _SECONDS), default=2)
    """Initiator: how long a NOP-Out may stay unanswered before the session counts as broken."""
    replacement_timeout: int = declared(whole(1, 600, _SECONDS), default=5)
    """Initiator: how long a broken session keeps its commands before multipath gets them back.
    Short, since multipath queues them (`no_path_retry queue`)."""
    login_timeout: int = declared(whole(2, 600, _SECONDS), default=3)
    """Initiator: how long one login may take. Short, so that the next one meets the node that
    took over; iscsid looks once a second whether it is connected, so within one it never is."""
    logout_timeout: int = declared(whole(1, 600, _SECONDS), default=5)
    """Initiator: how long a logout may take."""
    login_attempts: int = declared(whole(1, 10_000, "a number of attempts"), default=20)
    """Initiator: how often a first login is tried (initial_login_retry_max): a client that boots in
    the middle of a takeover finds its disks all the same."""
    neighbour_reachable: int = declared(whole(1, 600, _SECONDS), default=2)
    """Client's kernel: how long a neighbour's hardware address counts that nobody confirms
    (base_reachable_time, ip-sysctl.txt). Short: what is sent to a dead one's is lost."""
    neighbour_patience: int = declared(whole(1, 600, _SECONDS), default=60)
    """Client's kernel: how long a neighbour is asked for before what waits for it fails
    (mcast_solicit, a question a second): longer than a takeover takes."""

    polling_interval: int = declared(whole(1, 600, _SECONDS), default=1)
    """Multipath: between two checks of a path (multipath.conf(5))."""
    max_polling_interval: int = declared(whole(1, 600, _SECONDS), default=2)
    """Multipath: the same for a path that has been well for long."""

    target_answer: int = declared(whole(1, 600, _SECONDS), default=10)
    """iscsi-target: for one answer of the target daemon; one that takes longer hangs."""
    target_start: int = declared(whole(1, 600, _SECONDS), default=20)
    """iscsi-target: for the daemon to come up, on a slow machine under load."""
    target_stop: int = declared(whole(1, 600, _SECONDS), default=20)
    """iscsi-target: for a killed daemon to be gone: its writes below must end."""
    target_idle: int = declared(whole(1, 600, _SECONDS), default=10)
    """iscsi-target: for the commands of a LUN to end before it is taken away."""
    volume_group: int = declared(whole(1, 600, _SECONDS), default=20)
    """volume-group: for one call of LVM, which waits as long as a disk below does."""
    promotion: int = declared(whole(1, 600, _SECONDS), default=45)
    """drbd-primary: how long a promotion that DRBD refuses is tried again. The last try may take
    `fence_peer` more."""
    resource_script: int = declared(whole(1, 3600, _SECONDS), default=90)
    """Any resource script, to start or to stop: one that takes longer hangs, is killed, and has
    failed."""

    fence_answer: int = declared(whole(1, 60, _SECONDS), default=4)
    """san-fence: for one answer of the peer, over Heartbeat's links; its scripts run one by one."""
    fence_peer: int | None = declared(optional(whole(1, 600, _SECONDS)), default=20)
    """san-fence: how long a promotion may take to learn what became of the peer. None: `deadtime`
    and a margin, so that Heartbeat has decided before it gives up."""
    watch_interval: int = declared(whole(1, 60, _SECONDS), default=2)
    """The watch over the group: between two looks at what clients need. Each is a login."""
    watch_answer: int = declared(whole(1, 60, _SECONDS), default=3)
    """The watch: for a login, a LUN's list and its blocks; what takes longer counts as failed. With
    two looks, and the time between, a target that hangs is noticed within `WATCH_DETECTION`; one
    that is only slow, under load, is not."""
    watch_slow_lun: int = declared(whole(1, 600, _SECONDS), default=30)
    """The watch: how long a LUN may give no block until its target is started anew: what guests
    and hypervisors stand."""
    watch_cut: int = declared(whole(1, 60, _SECONDS), default=5)
    """The watch: how long all links to the clients may be without carrier until the group moves: a
    switch may just restart."""
    watch_start: int = declared(whole(1, 1800, _SECONDS), default=40)
    """The watch: how long Heartbeat may take from DRBD's promotion until the target serves."""
    watch_step: int = declared(whole(1, 1800, _SECONDS), default=60)
    """The watch: for one call of a resource script that it mends with."""
    watch_moves: int = declared(whole(0, 20, "a number of moves"), default=2)
    """The watch: moves from a node, at most, within `watch_moves_within`: what fails on both nodes
    stays where it is, and is told, before clients have waited for the fifth move to and fro."""
    watch_moves_within: int = declared(whole(1, 86_400, _SECONDS), default=1800)
    """The watch: for how long a move counts."""
    watch_takeover: int = declared(whole(1, 600, _SECONDS), default=20)
    """The watch: without a serving node until its takeover has failed: more than one takes."""
    watch_retries: int = declared(whole(0, 100, "a number of tries"), default=10)
    """The watch: takeovers that are tried again. With doubled pauses up to five minutes the default
    is over half an hour."""

    @property
    def peer_notice(self) -> float:
        """Seconds until DRBD knows that a silent peer is gone."""
        return round(self.ping_int + self.ping_timeout, 1)

    def fence_peer_for(self, deadtime: float) -> int:
        """The promotion's limit beside that `deadtime`."""
        return ceil(deadtime) + FENCE_MARGIN if self.fence_peer is None else self.fence_peer
