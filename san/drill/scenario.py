"""A drill from beginning to end: a writing client, a fault, and what became of the writes."""

import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.lab.remote import Clock

from . import ending, journal, outcome, pair, roles, strain, timeline, watch
from .client import Client, Disk
from .clock import Timebase, iso
from .errors import DrillFailedError
from .evidence import Evidence, Witness
from .fault import Fault
from .outcome import Outcome
from .report import BUCKET, Report
from .stage import FROZEN, Stage, pairs

SECONDS_BEFORE = 10.0
"""Seconds of steady writing before the fault: enough to see what steady is."""
QUICK = 2.0
"""Seconds of waiting that need no progress shown."""
READING = 180.0
"""Seconds to fetch a journal: an emulated host prints some thousand records a second."""


def play(
    lab: Lab,
    fault: Fault,
    nodes: tuple[str, str],
    client_name: str,
    *,
    depth: int = 1,
    seconds_before: float = SECONDS_BEFORE,
    fenced: bool = False,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Let the client write, strike, wait for the end, read back, judge.

    Writes the logs to `drill-NAME/` in `out`; the lab stays as the fault left it. Raises
    DrillRefusedError before anything is written or struck, DrillFailedError where the drill itself
    can't be played; what the cluster did wrong is in the outcome.
    """
    serving = pair.serving(pair.replicas(lab, nodes))
    standby = next(node for node in nodes if node != serving)
    stage = Stage(lab, serving, standby, client_name)
    client = Client(lab, client_name)
    disk = client.prepare()
    clocks = lab.set_clocks((*nodes, client_name))
    started = time.time()
    expected = fault.wanted(fenced=fenced)
    try:
        with lab.kept(client_name):  # it is asked every second, and never struck
            with progress.step(f"{client_name} writes to {disk.device}, which {serving} serves"):
                client.start(disk, secrets.token_bytes(16), depth=depth)
                watch.started(client)
                watch.steady(client, seconds_before)
            struck_at, steps = _strike(stage, fault, progress)
            with progress.step(f"{fault.title}: until the pair is as it must be"):
                ended = ending.wait(stage, client, expected)
    except (DrillFailedError, LabError, KeyboardInterrupt):
        with suppress(LabError):
            client.let_go()
        raise
    with progress.step("logs"):
        evidence, ends = collect(
            stage, client, clocks, started=started, clock_back=fault.clock_back,
            struck_at=struck_at,
            answering=[node.node for node in ended.after if node.answers],
        )  # fmt: skip
        evidence.keep(out / f"drill-{fault.name}")
    verification = None
    if ended.acked:
        with progress.step(f"{client_name} reads every acknowledged block back"):
            verification = _verify(client, disk)
    report = _report(
        lab, fault, evidence, disk=disk, verification=verification, clocks=ends, started=started
    )
    until = ended.stopped_at - struck_at
    strained = strain.read({node: evidence.records.get(node, ()) for node in nodes})
    return Outcome(
        fault=fault.name,
        title=fault.title,
        depth=depth,
        fenced=fenced,
        serving=serving,
        standby=standby,
        client=client_name,
        accel=lab.accel,
        suite=lab.suite,
        started=iso(started),
        seconds=time.time() - started,
        expected=expected,
        steps=steps,
        waits=outcome.waits(evidence.ends, until),
        acked=len(evidence.ends),
        errors=evidence.errors,
        verification=verification,
        reigns={
            node: roles.reigns(
                evidence.records[node],
                clocks[node].boot,
                primary=node == serving,
                since=started - struck_at,
                until=until,
                outages=_after(stage.outages(node), struck_at),
            )
            for node in nodes
            if node in evidence.records
        },
        outages={node: _after(stage.outages(node), struck_at) for node in nodes},
        after=ended.after,
        forbidden=outcome.forbidden(evidence.records, client_name, expected.never),
        booted=tuple(
            node for node in nodes if node in ends and ends[node].boot != clocks[node].boot
        ),
        strain=strained,
        events=evidence.events(),
        rate=timeline.rate(evidence.ends, BUCKET),
        notes=(*strained.notes, *_silent(nodes, evidence), *_deploys(stage)),
        clock_uncertainty=_uncertainty(clocks),
        failover=report,
    )


def _strike(
    stage: Stage, fault: Fault, progress: Progress
) -> tuple[float, tuple[tuple[float, str], ...]]:
    """Take the fault's steps at their times; tell when it struck, and when each step began."""
    zero = time.time() - fault.begins
    done: list[tuple[float, str]] = []
    for step in fault.steps:
        left = zero + step.at - time.time()  # negative where the step before took longer
        if left > QUICK:
            with progress.step(f"  until {step.at:.0f} s: {step.act.text}"):
                time.sleep(left)
        elif left > 0:
            time.sleep(left)
        if step.at >= 0 and all(at < 0 for at, _ in done):
            zero = time.time() - step.at  # what prepared the fault may have taken its time
        done.append((time.time() - zero, step.act.text))
        progress.say(f"  {done[-1][0]:+.1f} s: {step.act.text}")
        step.act.do(stage)
    return zero, tuple(done)


def collect(
    stage: Stage,
    client: Client,
    clocks: Mapping[str, Clock],
    *,
    started: float,
    clock_back: float,
    struck_at: float,
    answering: list[str],
) -> tuple[Evidence, Mapping[str, Clock]]:
    """Fetch all logs at once, and read the clocks again."""

    def witness(host: str) -> Witness | None:
        try:
            clock = stage.lab.read_clocks([host])[host]
            printed = stage.lab.ssh(host, told, timeout=READING).stdout
        except LabError:
            return None
        ends[host] = clock
        frozen = pairs(stage.outages(host, FROZEN))
        return Witness(host, printed, Timebase.of(clocks[host], clock, frozen))

    told = journal.command(started - clock_back)
    ends: dict[str, Clock] = {}
    with ThreadPoolExecutor() as pool:
        acks = pool.submit(client.log)
        *nodes, of_client = pool.map(witness, [*answering, client.name])
    if of_client is None:
        raise DrillFailedError(f"{client.name} doesn't give its journal, and nothing can be told")
    evidence = Evidence(
        struck=stage.serving,
        struck_at=struck_at,
        started=started,
        survivor=stage.standby,
        nodes=tuple(node for node in nodes if node is not None),
        client=of_client,
        acks=acks.result(),
    )
    return evidence, ends


def _verify(client: Client, disk: Disk) -> Mapping[str, object] | None:
    """Read back; None where the disk doesn't answer any more."""
    try:
        return client.verify(disk)
    except LabError:
        return None


def _report(
    lab: Lab,
    fault: Fault,
    evidence: Evidence,
    *,
    disk: Disk,
    verification: Mapping[str, object] | None,
    clocks: Mapping[str, Clock],
    started: float,
) -> Report | None:
    """The takeover phase by phase; None where the standby started nothing, or nobody can read."""
    seen = evidence.timeline()
    if seen is None or verification is None or not evidence.takeover.steps:
        return None
    return Report(
        fault=fault.name,
        title=fault.title,
        struck=evidence.struck,
        survivor=evidence.survivor,
        client=evidence.client.host,
        device=disk.device,
        accel=lab.accel,
        suite=lab.suite,
        started=iso(started),
        timeline=seen,
        acked=len(evidence.ends),
        errors=evidence.errors,
        verification=verification,
        clock_uncertainty=_uncertainty(clocks),
        events=evidence.events(),
        rate=timeline.rate(evidence.ends, BUCKET),
        notes=evidence.notes(),
    )


def _after(spans: tuple[timeline.Span, ...], zero: float) -> tuple[timeline.Span, ...]:
    """Our clock's seconds as seconds after the fault."""
    return tuple(timeline.Span(span.name, span.start - zero, span.end - zero) for span in spans)


def _silent(nodes: tuple[str, str], evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"{node}'s journal can't be had: when it could write isn't known"
        for node in nodes
        if node not in evidence.records
    )


def _deploys(stage: Stage) -> tuple[str, ...]:
    return tuple(
        f"the deploy beside it ended with {run.result().returncode}" for run in stage.deploys
    )


def _uncertainty(clocks: Mapping[str, Clock]) -> float:
    return sum(clock.uncertainty_ms for clock in clocks.values()) / 1000
