"""A drill from beginning to end: a writing client, a fault, and what became of the writes."""

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress

from . import journal, pair, picture, timeline, watch
from .client import Client
from .errors import DrillFailedError
from .evidence import Evidence, Witness
from .report import BUCKET, Report

SETTLING = 10.0
"""Seconds of steady writing after the recovery: one acknowledgement isn't service yet."""
READING = 120.0
"""Seconds to fetch a journal: an emulated host prints some thousand records a second."""


class Fault(Protocol):
    """One kind of fault; `name` is its command and the stem of its files."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102

    def strike(self, lab: Lab, node: str) -> None:
        """Hit the node that serves; return when it is hit."""


def play(
    lab: Lab,
    fault: Fault,
    nodes: tuple[str, str],
    client_name: str,
    *,
    seconds_before: float,
    out: Path,
    progress: Progress,
) -> Report:
    """Let the client write, strike the node that serves, read back, report.

    Writes `drill-NAME.json`, `drill-NAME.svg` and, in `drill-NAME/`, the logs to `out`. The struck
    node is left as the fault left it. Raises DrillRefusedError before anything is written or
    struck, DrillFailedError when the client doesn't come back; lost writes are in the report.
    """
    struck = pair.serving(pair.replicas(lab, nodes))
    survivor = next(node for node in nodes if node != struck)
    client = Client(lab, client_name)
    disk = client.prepare()
    clocks = lab.set_clocks((survivor, client_name))
    started = time.time()

    def witness(host: str) -> Witness:
        since = journal.command(started)
        printed = lab.ssh(host, since, timeout=READING).stdout
        return Witness(host, printed, clocks[host].offset_ms / 1000)

    def collect() -> Evidence:
        evidence = Evidence(
            struck=struck,
            struck_at=struck_at,
            survivor=witness(survivor),
            client=witness(client_name),
            acks=client.log(),
        )
        evidence.keep(logs)
        return evidence

    logs = out / f"drill-{fault.name}"
    struck_at = started
    try:
        with progress.step(f"{client_name} writes to {disk.device}, which {struck} serves"):
            client.start(disk, secrets.token_bytes(16))
            watch.started(client)
            watch.steady(client, seconds_before)
        with progress.step(f"{fault.title} of {struck}, until {client_name} writes again"):
            struck_at = time.time()
            fault.strike(lab, struck)
            watch.recovered(client)
        with progress.step(f"{client_name} goes on writing, served by {survivor}"):
            watch.steady(client, SETTLING)
            client.stop()
    except (DrillFailedError, LabError) as failed:
        try:
            client.let_go()
            said = "".join(f"; {survivor}: {line}" for line in collect().takeover.failures)
        except LabError as silent:
            raise DrillFailedError(f"{failed}; the logs can't be had: {silent}") from failed
        raise DrillFailedError(f"{failed}{said}; the logs are in {logs}") from failed
    except KeyboardInterrupt:
        client.let_go()
        raise
    evidence = collect()
    with progress.step(f"{client_name} reads every acknowledged block back"):
        verification = client.verify(disk)
    seen = evidence.timeline()
    if seen is None:
        raise DrillFailedError(f"the writer's log shows no gap around the fault; it is in {logs}")
    report = Report(
        fault=fault.name,
        title=fault.title,
        struck=struck,
        survivor=survivor,
        client=client_name,
        device=disk.device,
        accel=lab.accel,
        suite=lab.suite,
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        timeline=seen,
        acked=len(evidence.ends),
        errors=evidence.errors,
        verification=verification,
        clock_uncertainty=sum(read.uncertainty_ms for read in clocks.values()) / 1000,
        events=evidence.events(),
        rate=timeline.rate(evidence.ends, BUCKET),
        notes=evidence.notes(),
    )
    save(report, out)
    return report


def save(report: Report, out: Path) -> None:
    """Write the report and its picture."""
    text = json.dumps(report.to_json(), indent=2) + "\n"
    (out / f"drill-{report.fault}.json").write_text(text)
    (out / f"drill-{report.fault}.svg").write_text(picture.draw(report, BUCKET))
