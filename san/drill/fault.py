"""A row of the matrix: what is done to the cluster, and what must come of it."""

from collections.abc import Callable

import attrs

from .stage import Stage

# Seconds that a client may wait. They are the lab's, under emulation: a process costs 30 ms there.
QUIET = 15.0
"""Nothing moves: DRBD notices a dead peer in 4.5 s, and asks about it before I/O goes on."""
MEND = 40.0
"""Something is mended in place: noticed within 10 s, started again, and the client logs in."""
TAKEOVER = 60.0
"""The other node takes over: what hypervisors and Windows stand."""
BOOT = 400.0
"""Nobody may serve until a machine has booted."""

RETURN = 20.0
"""Seconds after which a machine has its power again: a person's, or a power station's."""
REPAIR = 45.0
"""Seconds after which a cable is back, a clock right, a disk has room again."""

LIMIT = 240.0
"""Seconds after the last step within which the pair must be whole again, by itself."""

PATIENT = 420.0
"""The same where both nodes have to boot, or one of them twice."""

NODE_NEVER = (
    r"Unrelated data, aborting",
    r"Split-Brain detected",
    r"kernel BUG at|Oops:|general protection fault",
)
"""What no node may ever log."""
CLIENT_NEVER = (
    r"Buffer I/O error on dev dm-",
    r"I/O error, dev dm-",
    r"kernel BUG at|Oops:|general protection fault",
)
"""What the client may never log: an error above multipath has reached whoever wrote."""


@attrs.frozen
class Act:
    """Something done to the lab, in words and in deed."""

    text: str
    do: Callable[[Stage], None]


@attrs.frozen
class Step:
    """An act, so many seconds after the fault; negative ones prepare it."""

    at: float
    act: Act


@attrs.frozen
class Expectation:
    """What must come of a fault."""

    gap: float
    """Seconds that the client may wait at most, at any time after the fault."""
    serves: str = "either"
    """Who serves in the end: `serving` or `standby` (by the drill's beginning), or `either`."""
    person: str = ""
    """What a person has to do, where only a person can; else the pair is whole without help."""
    limit: float = LIMIT
    """Seconds after the last step by which that must be so."""
    never: tuple[str, ...] = NODE_NEVER
    """Patterns that no line of a node's log may match."""
    still: bool = False
    """No node may boot anew."""
    load: float = 0.0
    """Load average per processor that each node must have had: with less it proves nothing."""


@attrs.frozen
class Fault:
    """One row of the matrix."""

    name: str
    title: str
    steps: tuple[Step, ...]
    expected: Expectation
    fenced: Expectation | None = None
    """What must come of it on a cluster with STONITH, where that differs."""
    stonith: bool = False
    """It strikes STONITH itself: it is played on a cluster that has some, and on no other."""
    budget: str = ""
    """The name under which `san budget` predicts its gap, where that isn't its own."""
    clock_back: float = 0.0
    """Seconds by which a node's clock may be behind afterwards; its journal is read from there."""

    @property
    def begins(self) -> float:
        """Seconds before the fault (negative) at which the first act prepares it."""
        return min(0.0, *(step.at for step in self.steps))

    def wanted(self, *, fenced: bool) -> Expectation:
        """What must come of it on a cluster with STONITH, or on one without."""
        return self.fenced if fenced and self.fenced is not None else self.expected


def row(name: str, title: str, expected: Expectation, *steps: tuple[float, Act]) -> Fault:
    """A fault, its steps as seconds and acts."""
    return Fault(name, title, tuple(Step(at, act) for at, act in steps), expected)
