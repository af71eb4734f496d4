"""Faults of whole machines."""

from attrs import evolve

from san.drill import guest, strain, strikes
from san.drill.fault import (
    BOOT,
    NODE_NEVER,
    PATIENT,
    QUIET,
    RETURN,
    TAKEOVER,
    Expectation,
    Fault,
    row,
)
from san.drill.stage import SERVING, STANDBY


def power() -> list[Fault]:
    """Machines that lose their power, or start anew without having been asked."""
    over = Expectation(gap=TAKEOVER, serves="standby")
    stays = Expectation(gap=QUIET, serves="serving")
    boots = Expectation(gap=BOOT, limit=PATIENT)
    return [
        evolve(
            row(
                "power-cut", "Power cut", over,
                (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
            ),
            fenced=over,  # the device is asked first, and gives the power back
        ),
        row(
            "power-cut-standby", "Power cut of the standby", stays,
            (0, strikes.power_cut(STANDBY)), (RETURN, strikes.power_on(STANDBY)),
        ),
        row(
            "power-cut-both-serving-first", "Power cut of both, the serving node returns first",
            boots,
            (0, strikes.power_cut_both()),
            (5, strikes.power_on(SERVING)), (60, strikes.power_on(STANDBY)),
        ),
        row(
            "power-cut-both-standby-first", "Power cut of both, the standby returns first", boots,
            (0, strikes.power_cut_both()),
            (5, strikes.power_on(STANDBY)), (60, strikes.power_on(SERVING)),
        ),
        row("reset", "Reset", over, (0, strikes.reset(SERVING))),
        row(
            "panic", "Kernel panic", over,
            (0, strikes.in_guest(SERVING, "kernel panic", guest.PANIC)),
            (150, strikes.reset_if_dead(SERVING)),  # kernel.panic, and a boot on a slow machine
        ),
    ]  # fmt: skip


def stalls() -> list[Fault]:
    """Machines, or all that runs on them, that stand still and go on."""
    either = Expectation(gap=TAKEOVER)
    over = evolve(either, serves="standby")
    return [
        *(
            evolve(
                row(
                    f"frozen-{seconds}", f"Frozen for {seconds} s", expected,
                    (0, strikes.freeze(SERVING)), (seconds, strikes.thaw(SERVING)),
                ),
                fenced=over,
            )
            for seconds, expected in ((20, either), (60, over), (180, over))
        ),
        evolve(
            row(
                "user-space-stopped", "User space stopped for 60 s", either,
                (0, strikes.in_guest(SERVING, "SIGSTOP to all", guest.stop_user_space(60))),
                (60, strikes.nothing("SIGCONT to all")),
            ),
            fenced=over,
        ),
        row(
            "fork-bomb", "Fork bomb for 60 s", either,
            (0, strikes.in_guest(SERVING, "fork bomb", guest.fork_bomb(60))),
            (60, strikes.nothing("fork bomb over")),
        ),
    ]  # fmt: skip


def full_load(minutes: float = 30) -> Fault:
    """No fault at all, but two nodes so busy that one could take the other for dead."""
    still = Expectation(
        gap=TAKEOVER, serves="serving", never=(*NODE_NEVER, *strain.MOVED), still=True, load=4
    )
    return row(
        f"full-load-{minutes:g}", f"Full load on both nodes for {minutes:g} min", still,
        (0, strikes.full_load(60 * minutes)), (60 * minutes, strikes.nothing("load over")),
    )  # fmt: skip


def resyncs() -> list[Fault]:
    """A second fault before the pair is whole again: one side has old data, or only a part."""
    boots = Expectation(gap=BOOT, limit=PATIENT)
    return [
        row(
            "second-takeover-in-resync", "Second power cut during the resync of the first", boots,
            (-2, strikes.slow_replication(1)),
            (0, strikes.power_cut(SERVING)),
            (30, strikes.power_on(SERVING)),
            (31, strikes.resyncs(SERVING)),
            (32, strikes.power_cut(STANDBY)),
            (50, strikes.slow_replication(0)),
            (52, strikes.power_on(STANDBY)),
        ),
        row(
            "crash-in-first-sync", "Power cut during the first sync", boots,
            (-10, strikes.slow_replication(8)),
            (-8, strikes.in_guest(STANDBY, "all data declared missing", guest.INVALIDATE)),
            (0, strikes.power_cut(SERVING)),
            (5, strikes.slow_replication(0)),
            (RETURN, strikes.power_on(SERVING)),
        ),
    ]  # fmt: skip


def fencing() -> list[Fault]:
    """Fencing devices that fail with their node, or say that they have done what they haven't."""
    # Nobody confirms that the node is dead: the service waits for it, and nothing is guessed.
    waits = Expectation(gap=BOOT, limit=PATIENT)
    return [
        evolve(fault, stonith=True)
        for fault in (
            row(
                "bmc-cut-with-node", "Power cut of the serving node and of its BMC", waits,
                (0, strikes.bmc_cut(SERVING)), (0, strikes.power_cut(SERVING)),
                (60, strikes.bmc_back(SERVING)), (60, strikes.power_on(SERVING)),
            ),
            row(
                "bmc-lies", "Frozen for 60 s, and its BMC lies", waits,
                (-1, strikes.bmc_lie(SERVING)), (0, strikes.freeze(SERVING)),
                (60, strikes.thaw(SERVING)), (90, strikes.bmc_back(SERVING)),
            ),
        )
    ]  # fmt: skip
