"""The difference between a guest's clock and the host's, measured by ssh round trips."""

import time

import attrs

from .hosts import Hosts
from .pair import ANSWER

ROUND_TRIPS = 4  # each narrows the answer; under emulation one takes about half a second


@attrs.frozen
class Offset:
    """A guest's clock minus the host's, in seconds, and by how much that may be wrong."""

    seconds: float
    uncertainty: float


def narrow(readings: list[tuple[float, float, float]]) -> Offset:
    """Bound the offset by (host before, guest, host after): the guest read its clock in between.

    The lab sets its guests' clocks to the host's, so clocks that may be equal count as equal.
    """
    least = max(guest - after for _, guest, after in readings)
    most = min(guest - before for before, guest, _ in readings)
    if least <= 0 <= most:
        return Offset(0.0, max(-least, most))
    return Offset((least + most) / 2, abs(most - least) / 2)


def measure(lab: Hosts, host: str) -> Offset:
    """Measure a guest's offset."""
    readings = []
    for _ in range(ROUND_TRIPS):
        before = time.time()
        guest = float(lab.ssh(host, "date +%s.%N", timeout=ANSWER).stdout)
        readings.append((before, guest, time.time()))
    return narrow(readings)
