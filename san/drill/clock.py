"""One time for all hosts: their journals' own times turned into this machine's.

A machine's monotonic clock counts from its boot, and neither a set clock nor a person moves it; so
each boot needs one number, when that clock stood at 0. A machine whose processors were stopped
counted nothing meanwhile: what it logged after that is as much later.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import attrs

from san.lab.remote import Clock


@attrs.frozen
class Timebase:
    """A host's times; all in seconds."""

    boots: Mapping[str, float]
    """By boot id: our time when that boot's monotonic clock stood at 0."""
    frozen: tuple[tuple[float, float], ...] = ()
    """Between which of our times the processors stood still during the first boot."""

    @classmethod
    def of(
        cls, begin: Clock, end: Clock | None, frozen: Iterable[tuple[float, float]] = ()
    ) -> "Timebase":
        """Put together what was read of a clock before and, where the host answers, after."""
        boots = {begin.boot: begin.booted}
        if end is not None:
            boots.setdefault(end.boot, end.booted)
        return cls(boots, tuple(frozen))

    def ours(self, boot: str, uptime: float, wall: float) -> float:
        """Our time of a moment; a boot that nobody read the clock of is right to a second."""
        if boot not in self.boots:
            return wall
        at = self.boots[boot] + uptime
        if boot == next(iter(self.boots)):
            for stopped, went_on in self.frozen:
                if at > stopped:
                    at += went_on - stopped
        return at


def iso(moment: float) -> str:
    """Write a moment of this machine's clock as ISO 8601 in UTC, to a second."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
