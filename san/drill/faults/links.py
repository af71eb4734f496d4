"""Faults of cables."""

from attrs import evolve

from san.drill import guest, strikes
from san.drill.fault import (
    BOOT,
    MEND,
    PATIENT,
    QUIET,
    REPAIR,
    TAKEOVER,
    Expectation,
    Fault,
    row,
)
from san.drill.stage import SERVING
from san.lab.machines import SEGMENTS


def links() -> list[Fault]:
    """Cables pulled and plugged in again, one by one and together."""
    stays = Expectation(gap=QUIET, serves="serving")
    # The standby doesn't have what was acknowledged without it: nobody serves until that is back.
    waits = Expectation(gap=BOOT, limit=PATIENT)
    cable_a, cable_b = SEGMENTS[1:]
    return [
        row(
            "replication-cut", "Replication link cut", stays,
            (0, strikes.cut(SERVING, "replication")),
            (REPAIR, strikes.plug(SERVING, "replication")),
        ),
        row(
            "replication-cut-power-cut", "Replication link cut, then power cut", waits,
            (0, strikes.cut(SERVING, "replication")),
            (15, strikes.power_cut(SERVING)),
            (30, strikes.power_on(SERVING)),
            (40, strikes.plug(SERVING, "replication")),
        ),
        row(
            "heartbeat-serial-cut", "Serial cable cut", stays,
            (0, strikes.serial_cut()), (REPAIR, strikes.serial_up()),
        ),
        row(
            "heartbeat-network-cut", "Heartbeat's network link deaf, replication goes on", stays,
            (0, strikes.in_guest(SERVING, "Heartbeat's port closed", guest.DEAF)),
            (REPAIR, strikes.in_guest_again(SERVING, "Heartbeat's port open", guest.HEARS)),
        ),
        evolve(
            row(
                "heartbeat-all-cut", "All of Heartbeat's links cut, replication goes on",
                Expectation(gap=TAKEOVER),
                (0, strikes.serial_cut()),
                (0, strikes.in_guest(SERVING, "Heartbeat's port closed", guest.DEAF)),
                (REPAIR, strikes.serial_up()),
                (REPAIR, strikes.in_guest_again(SERVING, "Heartbeat's port open", guest.HEARS)),
            ),
            fenced=Expectation(gap=TAKEOVER, serves="standby"),
        ),
        # Without STONITH nobody can know that the other one is dead: I/O waits for the links.
        *(
            evolve(
                row(
                    name, title, Expectation(gap=TAKEOVER + REPAIR),
                    (0, strikes.serial_cut()), (0, strikes.cut(SERVING, *segments)),
                    (REPAIR, strikes.serial_up()), (REPAIR, strikes.plug(SERVING, *segments)),
                ),
                fenced=Expectation(gap=TAKEOVER),
            )
            for name, title, segments in (
                ("heartbeat-and-replication-cut", "Heartbeat's links and replication cut",
                 SEGMENTS[:1]),
                ("all-links", "All links of the serving node cut", SEGMENTS),
            )
        ),
        *(
            evolve(
                row(
                    f"storage-cable-{name[-1]}", f"Storage cable {name} cut",
                    evolve(stays, gap=MEND),
                    (0, strikes.cut(SERVING, name)), (REPAIR, strikes.plug(SERVING, name)),
                ),
                budget="storage-cable",
            )
            for name in (cable_a, cable_b)
        ),
        row(
            "storage-cables", "Both storage cables cut",
            Expectation(gap=TAKEOVER, serves="standby"),
            (0, strikes.cut(SERVING, cable_a, cable_b)),
            (90, strikes.plug(SERVING, cable_a, cable_b)),
        ),
    ]  # fmt: skip
