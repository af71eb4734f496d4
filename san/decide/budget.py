"""What a cluster's times add up to: how long clients wait at each fault, expected and at worst.

A prediction has the phases of a drill's report (`san.decide.gap`), so the two can be laid side by
side.
"""

from collections.abc import Mapping

import attrs

from san.model import Cluster

from . import gap
from .gap import LAB, Pace, Part

TOLERANCE = 0.25
"""The part of a prediction by which a measurement may differ and still confirm it."""

GUESTS = {
    30: "hypervisors stand it (VMware documents pauses of 30 to 60 s)",
    60: "Windows stands it (its disk timeout)",
}
"""Seconds of a gap that guests get through, by who does."""


@attrs.frozen
class Prediction:
    """What a fault costs the clients."""

    fault: str
    """Its name, as in `san drill`."""
    title: str
    parts: tuple[Part, ...]
    relies: str = ""
    """What must be there for the prediction to hold, besides the cluster manager."""

    @property
    def expected(self) -> float:
        """Seconds without an acknowledgement, as they are to be expected."""
        return round(sum(part.expected for part in self.parts), 1)

    @property
    def worst(self) -> float:
        """Seconds without an acknowledgement, at worst."""
        return round(sum(part.worst for part in self.parts), 1)

    def to_json(self) -> dict[str, object]:
        """The prediction as plain data; times in seconds."""
        return {
            "fault": self.fault,
            "title": self.title,
            "expected_seconds": self.expected,
            "worst_seconds": self.worst,
            "phases": {
                part.name: {"expected": round(part.expected, 1), "worst": round(part.worst, 1)}
                for part in self.parts
            },
            "relies_on": self.relies,
        }


@attrs.frozen
class Comparison:
    """A drill's gap beside its prediction, in seconds."""

    predicted: float
    measured: float

    @property
    def ratio(self) -> float:
        """Measured by predicted."""
        return self.measured / self.predicted

    @property
    def confirmed(self) -> bool:
        """Whether the measurement is within `TOLERANCE` of the prediction."""
        return abs(self.ratio - 1) <= TOLERANCE

    def __str__(self) -> str:
        seconds = f"predicted {self.predicted:.1f} s, measured {self.measured:.1f} s"
        return f"{seconds}, {self.ratio:.2f} of it"


def compared(prediction: Prediction, measured: float) -> Comparison:
    """A gap of `measured` seconds beside what was expected of it."""
    return Comparison(prediction.expected, measured)


@attrs.frozen
class _Fault:
    title: str
    parts: gap.Gap
    relies: str = ""


_WATCH, _WATCHDOG, _HANDLER = "the watch", "the watchdog", "san-fence"

_FAULTS: Mapping[str, _Fault] = {
    "power-cut": _Fault("power cut of the serving node", gap.gone),
    "panic": _Fault("its kernel panics", gap.gone),
    "reset": _Fault("it is reset", gap.gone),
    "frozen-20": _Fault("it freezes for 20 s", gap.frozen(20), _HANDLER),
    "frozen-60": _Fault("it freezes for 60 s", gap.frozen(60), _HANDLER),
    "frozen-180": _Fault("it freezes for 180 s", gap.frozen(180), _HANDLER),
    "all-links": _Fault("all its links are cut", gap.gone, _HANDLER),
    "heartbeat-killed": _Fault("its Heartbeat dies", gap.unwatched, _WATCHDOG),
    "replication-cut": _Fault("the replication link is cut", gap.apart, _HANDLER),
    "storage-cable": _Fault("one of its storage cables is pulled", gap.one_path),
    "storage-cables": _Fault("all its storage cables are pulled", gap.unplugged, _WATCH),
    "target-killed": _Fault("its target daemon dies", gap.target(hung=False), _WATCH),
    "target-hung": _Fault("its target daemon hangs", gap.target(hung=True), _WATCH),
    "move": _Fault("planned move", gap.moved),
}

FAULTS = tuple(_FAULTS)
"""The names that `prediction` knows."""


def prediction(cluster: Cluster, fault: str, pace: Pace = LAB) -> Prediction:
    """What `fault` costs the clients of `cluster`. Raises KeyError for another name."""
    known = _FAULTS[fault]
    return Prediction(fault, known.title, known.parts(cluster, pace), known.relies)


def predictions(cluster: Cluster, pace: Pace = LAB) -> tuple[Prediction, ...]:
    """All of them, in the order of the table."""
    return tuple(prediction(cluster, fault, pace) for fault in FAULTS)


def warnings(cluster: Cluster, pace: Pace = LAB) -> tuple[str, ...]:
    """What is no conflict and worth knowing: which gaps guests may not stand, and the like."""
    found = predictions(cluster, pace)
    said = [
        f"longer than {limit} s at worst, up to which {who}: {', '.join(over)}"
        for limit, who in GUESTS.items()
        if (over := [f"{one.fault} ({one.worst:g} s)" for one in found if one.worst > limit])
    ]
    timing = cluster.timing
    patience = timing.login_attempts * timing.login_timeout
    cut = prediction(cluster, "power-cut", pace)
    if patience < cut.worst:
        said.append(
            f"a client that boots during a takeover gives up its login after {patience} s, and a "
            f"power cut may last {cut.worst:g} s; raise timing.login_attempts"
        )
    reset = cluster.heartbeat.reset_after + timing.peer_notice
    given_up = round(cluster.heartbeat.deadtime + _promotion_patience(cluster), 1)
    if reset > given_up:
        said.append(
            f"the reset of a node whose Heartbeat died: DRBD notices {reset:g} s after the death; "
            f"{cluster.promotion_agent} gives up its promotion after {given_up:g} s; "
            "lower timing.ping_int"
        )
    return tuple(said)


def _promotion_patience(cluster: Cluster) -> float:
    """Seconds that a promotion goes on: six times, a second apart.

    So does drbddisk (drbd-utils 9.22), and drbd-primary.

    Each time the kernel looks again after the peer's ping timeout and 0.1 s (drbd_set_role).
    """
    return 5 + 6 * (cluster.timing.ping_timeout + 0.1)
