"""Faults of disks, file systems and clocks."""

from attrs import evolve

from san.drill import guest, strikes
from san.drill.fault import MEND, QUIET, REPAIR, Expectation, Fault, row
from san.drill.stage import SERVING, STANDBY


def storage_and_time() -> list[Fault]:
    """Disks that fail or are full, and clocks that are wrong."""
    stays = Expectation(gap=QUIET, serves="serving")
    replace = "replace the disk and attach it"
    found = [
        row(
            f"disk-error-{part}", f"Disk of {strikes.NAMES[part]} fails",
            evolve(stays, gap=MEND, serves="either", person=replace),
            (0, strikes.disk_error(part)),
        )
        for part in (SERVING, STANDBY)
    ]  # fmt: skip
    found += [
        row(
            f"disk-full-{name}", f"No room on {path}", stays,
            (0, strikes.in_guest(SERVING, f"no room on {path}", guest.fill(path))),
            (REPAIR, strikes.in_guest_again(SERVING, f"room on {path}", guest.room(path))),
        )
        for name, path in (("root", "/"), ("var", "/var"), ("run", "/run"))
    ]  # fmt: skip
    for name, seconds in (("ahead", 3600), ("back", -3600)):
        right = guest.clock(-seconds)
        found.append(
            evolve(
                row(
                    f"clock-{name}", f"Clock an hour {name}", stays,
                    (0, strikes.in_guest(SERVING, f"clock set {name}", guest.clock(seconds))),
                    (REPAIR, strikes.in_guest_again(SERVING, "clock set right", right)),
                ),
                clock_back=3600.0,
            )
        )  # fmt: skip
    return found
