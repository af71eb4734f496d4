"""The lab as a drill's stage: who plays which part, and what was done to whom, when."""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Literal

import attrs

from san.lab.lab import Lab
from san.run import Run

from .pair import ANSWER
from .timeline import Span

Part = Literal["serving", "standby"]
SERVING: Part = "serving"
"""The node that serves when the drill begins; it keeps the name whatever happens."""
STANDBY: Part = "standby"
"""The other one."""

OFF, FROZEN = "off", "frozen"


@attrs.define
class Stage:
    """The lab, the parts, and each node's outages so far."""

    lab: Lab
    serving: str
    standby: str
    client: str
    _since: dict[tuple[str, str], float] = attrs.field(factory=dict, init=False)
    _over: list[tuple[str, Span]] = attrs.field(factory=list, init=False)
    deploys: list[Future[Run]] = attrs.field(factory=list, init=False)
    """Runs of pyinfra beside the drill; they end before it is judged."""

    def host(self, part: Part) -> str:
        """Name the machine that plays a part."""
        return self.serving if part == SERVING else self.standby

    def ssh(self, part: Part, script: str, *, timeout: float = ANSWER) -> str:
        """Run a shell script on a node and return what it printed."""
        return self.lab.ssh(self.host(part), script, timeout=timeout).stdout

    def power_cut(self, part: Part) -> None:
        """Cut a node's power; it counts as off from before the cut to after its return."""
        self._begin(part, OFF)
        self.lab.power_cut(self.host(part))

    def power_on(self, part: Part) -> None:
        """Give a node's power back, unless a fencing device was quicker."""
        self._end(part, OFF)
        if not self.lab.powered(self.host(part)):
            self.lab.power_on(self.host(part))

    def reset(self, part: Part) -> None:
        """Press a node's reset button."""
        self._begin(part, OFF)
        self.lab.reset(self.host(part))
        self._end(part, OFF)

    def freeze(self, part: Part) -> None:
        """Stop a node's processors."""
        self.lab.freeze(self.host(part))
        self._begin(part, FROZEN)

    def thaw(self, part: Part) -> None:
        """Let a node's processors go on, unless a fencing device took its power meanwhile."""
        self._end(part, FROZEN)
        if self.lab.powered(self.host(part)):
            self.lab.thaw(self.host(part))

    def running(self) -> list[str]:
        """The nodes that have power and processors now."""
        out = {host for host, _ in self._since}
        return [node for node in (self.serving, self.standby) if node not in out]

    def outages(self, host: str, *kinds: str) -> tuple[Span, ...]:
        """A machine's outages, of all kinds unless some are named, in our own clock's seconds."""
        now = time.time()
        still = [Span(kind, at, now) for (name, kind), at in self._since.items() if name == host]
        over = [span for name, span in self._over if name == host]
        wanted = [span for span in (*over, *still) if not kinds or span.name in kinds]
        return tuple(sorted(wanted, key=lambda span: span.start))

    def _begin(self, part: Part, kind: str) -> None:
        self._since[self.host(part), kind] = time.time()

    def _end(self, part: Part, kind: str) -> None:
        host = self.host(part)
        self._over.append((host, Span(kind, self._since.pop((host, kind)), time.time())))


def pairs(spans: Iterable[Span]) -> tuple[tuple[float, float], ...]:
    """Begin and end of each span."""
    return tuple((span.start, span.end) for span in spans)
