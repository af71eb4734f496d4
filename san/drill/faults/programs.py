"""Faults of what runs on the nodes."""

from attrs import evolve

from san.drill import guest, strikes
from san.drill.fault import MEND, RETURN, TAKEOVER, Expectation, Fault, row
from san.drill.stage import SERVING, STANDBY

SCRIPTS = ("drbd-primary", "volume-group", "arp_filter", "iscsi-target", "portal")
"""The resource scripts of the reference cluster, in haresources' order."""


def programs() -> list[Fault]:
    """The target and Heartbeat, killed or hung."""
    mended = Expectation(gap=MEND)
    kill = strikes.in_guest(SERVING, "tgtd killed", guest.signal("KILL", "tgtd"))
    return [
        row("target-killed", "Target daemon killed", mended, (0, kill)),
        row(
            "target-hung", "Target daemon hung", mended,
            (0, strikes.in_guest(SERVING, "tgtd stopped", guest.signal("STOP", "tgtd"))),
        ),
        row(
            "target-killed-again", "Target daemon killed again and again",
            Expectation(gap=TAKEOVER),
            *((seconds, kill) for seconds in (0, 20, 40, 60, 80)),
        ),
        row(
            "heartbeat-killed", "Heartbeat killed", Expectation(gap=TAKEOVER),
            (0, strikes.in_guest(SERVING, "Heartbeat killed", guest.KILL_HEARTBEAT)),
        ),
        row(
            "heartbeat-parts-killed", "Heartbeat's parts killed", Expectation(gap=TAKEOVER),
            (0, strikes.in_guest(SERVING, "Heartbeat's parts killed", guest.KILL_HEARTBEAT_PARTS)),
        ),
    ]  # fmt: skip


def scripts() -> list[Fault]:
    """Each resource script failing at its start or its stop, once, or hanging."""
    found = []
    for name in SCRIPTS:
        fails = guest.wrap(name, "start", "exit 1", times=1)
        hangs = guest.wrap(name, "start", "exec sleep 3600", times=1)
        stays = guest.wrap(name, "stop", "exit 1", times=1)
        found += [
            row(
                f"{name}-fails-to-start", f"{name} fails to start once, in a takeover",
                Expectation(gap=2 * TAKEOVER, serves="standby"),
                (-3, strikes.in_guest(STANDBY, f"{name} will fail to start", fails)),
                (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
            ),
            row(
                f"{name}-hangs", f"{name} hangs once, in a takeover",
                # Killed after 90 s: the struck node may be back by then, and is asked to take it.
                Expectation(gap=3 * TAKEOVER),
                (-3, strikes.in_guest(STANDBY, f"{name} will hang at its start", hangs)),
                (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
            ),
            row(
                f"{name}-fails-to-stop", f"{name} fails to stop once, in a planned move",
                Expectation(gap=2 * TAKEOVER),
                (-3, strikes.in_guest(SERVING, f"{name} will fail to stop", stays)),
                (0, strikes.in_guest(SERVING, "planned move", guest.MOVE_AWAY)),
            ),
        ]  # fmt: skip
    return found


def moves() -> list[Fault]:
    """No fault at all, many times."""
    many = row(
        "moves-20", "Planned move to and fro, 20 times",
        Expectation(gap=TAKEOVER, serves="serving"), (0, strikes.moves(20)),
    )  # fmt: skip
    return [evolve(many, budget="move")]
