"""A failover, and a planned move, of a cluster of any kind, as its client sees it.

Between the fault and the client's next acknowledged write nobody looks at the nodes: a login there
costs programs and processor time, both of which are measured here.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import attrs

from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.lab.remote import Clock

from . import execs, guest, outcome, pacemaker, pair, takeover, watch
from .client import Client, Disk
from .errors import DrillFailedError
from .evidence import Evidence
from .execs import Exec
from .journal import Record
from .scenario import SECONDS_BEFORE, collect
from .stage import SERVING, Stage
from .takeover import Takeover

NOTICED = 60.0
"""Seconds within which the client must notice that the group is moved."""
SECONDS_AFTER = 10.0
"""Seconds of steady writing afterwards: a path that comes back may stop the client once more."""


@attrs.frozen
class Manager:
    """A cluster manager: how its journal is read, and how it is told to move the group."""

    read: Callable[[Iterable[Record], str], Takeover]
    move: str
    """A shell script for the node that serves."""


HEARTBEAT = Manager(takeover.parse, guest.MOVE_AWAY)
PACEMAKER = Manager(pacemaker.parse, guest.MOVE_GROUP)


@attrs.frozen
class Writes:
    """What became of the client's writes."""

    acked: int
    lost: int
    errors: int
    """Writes that were answered with an error, and tried again."""


@attrs.frozen
class Failover:
    """A power cut of the node that serves; seconds."""

    gap_seconds: float
    """The client's longest wait, on its monotonic clock."""
    detection_seconds: float
    """The cut to declared dead."""
    takeover_seconds: float
    """Declared dead to the end of the last resource's start."""
    client_seconds: float
    """From there to the first acknowledgement; 0 where that came before."""
    exec_events: int
    """Programs that the survivor started between declared dead and the last resource's start."""
    writes: Writes


@attrs.frozen
class Move:
    """A planned move of the group to the other node; seconds."""

    move_seconds: float
    """The client's longest wait, on its monotonic clock."""
    writes: Writes


@attrs.frozen
class _Seen:
    """A strike under a writing client, and what everybody logged."""

    evidence: Evidence
    wait: float
    """The client's longest wait that ended after the strike, in seconds."""
    writes: Writes


def power_cut(
    lab: Lab, manager: Manager, nodes: tuple[str, str], client: str, *, out: Path,
    progress: Progress,
) -> Failover:  # fmt: skip
    """Cut the serving node's power under a writing client; the lab stays as that left it.

    Writes the logs to `out`. Raises DrillRefusedError before anything is written or struck,
    DrillFailedError where the client doesn't come back or a journal doesn't tell.
    """
    stage = _stage(lab, nodes, client)
    execs.start(lab, stage.standby)
    seen = _struck(stage, lambda: stage.power_cut(SERVING), f"power of {stage.serving} cut",
                   out=out, progress=progress)  # fmt: skip
    logged = execs.collect(lab, stage.standby)
    (out / "execs.log").write_text(logged)
    told = manager.read(seen.evidence.records[stage.standby], stage.serving)
    (witness,) = seen.evidence.nodes
    started = execs.parse(logged, witness.base)
    return judged(told, seen.evidence.ends, started, seen.evidence.struck_at, seen.writes)


def judged(
    told: Takeover,
    ends: Iterable[float],
    started: Iterable[Exec],
    struck_at: float,
    writes: Writes,
) -> Failover:
    """Put the survivor's story, the acknowledgements' times and the programs started together.

    `ends` and the story are in seconds after the cut, `struck_at` and the programs in our clock's.
    """
    ends = tuple(ends)
    if told.declared_dead is None or told.complete is None:
        raise DrillFailedError("the survivor's journal doesn't tell of a takeover")
    if not told.end_is_logged:
        raise DrillFailedError(
            f"the survivor's journal doesn't tell when {told.steps[-1].name} had started"
        )
    gap = outcome.waits(ends, max(ends))[0]
    window = (struck_at + told.declared_dead, struck_at + told.complete)
    return Failover(
        gap_seconds=gap.seconds,
        detection_seconds=told.declared_dead,
        takeover_seconds=told.complete - told.declared_dead,
        client_seconds=max(0.0, gap.end - told.complete),
        exec_events=len(execs.within(started, *window)),
        writes=writes,
    )


def move(
    lab: Lab, manager: Manager, nodes: tuple[str, str], client: str, *, out: Path,
    progress: Progress,
) -> Move:  # fmt: skip
    """Move the group to the other node under a writing client; raises as `power_cut` does."""
    stage = _stage(lab, nodes, client)
    seen = _struck(stage, lambda: stage.ssh(SERVING, manager.move),
                   f"the group moves from {stage.serving} to {stage.standby}",
                   out=out, progress=progress)  # fmt: skip
    now = pair.serving(pair.replicas(lab, nodes))
    if now != stage.standby:
        raise DrillFailedError(f"{now} serves after the move, not {stage.standby}")
    return Move(seen.wait, seen.writes)


def _stage(lab: Lab, nodes: tuple[str, str], client: str) -> Stage:
    serving = pair.serving(pair.replicas(lab, nodes))
    standby = next(node for node in nodes if node != serving)
    return Stage(lab, serving, standby, client)


def _struck(
    stage: Stage, strike: Callable[[], object], what: str, *, out: Path, progress: Progress
) -> _Seen:
    """Let the client write, strike, wait until it writes on, read back."""
    lab, client = stage.lab, Client(stage.lab, stage.client)
    disk = client.prepare()
    clocks = lab.set_clocks((stage.serving, stage.standby, stage.client))
    started = time.time()
    try:
        with lab.kept(stage.client):
            with progress.step(f"{stage.client} writes to {disk.device}"):
                client.start(disk, secrets.token_bytes(16))
                watch.started(client)
                watch.steady(client, SECONDS_BEFORE)
            with progress.step(what):
                struck_at = time.time()
                strike()
                _resumed(client)
            client.stop()
    except (DrillFailedError, LabError, KeyboardInterrupt):
        with suppress(LabError):
            client.let_go()
        raise
    with progress.step("logs, and every acknowledged block read back"):
        return _told(stage, client, disk, clocks, started=started, struck_at=struck_at, out=out)


def _resumed(client: Client) -> None:
    """Wait until the client's writes have stopped, and then been steady again."""
    acked = client.acked()

    def stands() -> bool:
        nonlocal acked
        before, acked = acked, client.acked()
        return acked == before

    if not watch.until(stands, NOTICED):
        raise DrillFailedError(f"{client.name} writes on for {NOTICED:.0f} s: nothing has moved")
    if not watch.until(lambda: client.acked() > acked, watch.RECOVERY):
        raise DrillFailedError(
            f"no write of {client.name} was acknowledged for {watch.RECOVERY:.0f} s"
        )
    watch.steady(client, SECONDS_AFTER)


def _told(
    stage: Stage,
    client: Client,
    disk: Disk,
    clocks: Mapping[str, Clock],
    *,
    started: float,
    struck_at: float,
    out: Path,
) -> _Seen:
    evidence, _ = collect(
        stage, client, clocks, started=started, clock_back=0, struck_at=struck_at,
        answering=[stage.standby],
    )  # fmt: skip
    evidence.keep(out)
    if not evidence.nodes:
        raise DrillFailedError(f"{stage.standby} doesn't give its journal, and nothing can be told")
    ends = evidence.ends
    longest = outcome.waits(ends, max(ends))[0]
    lost = int(str(client.verify(disk)["lost"]))
    return _Seen(evidence, longest.seconds, Writes(len(ends), lost, evidence.errors))
