"""The drill without a fault: a kernel upgrade of both nodes under a writing client."""

import json
import secrets
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import attrs
from rich.table import Table

from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.run import Run, pyinfra
from san.upgrade import DEPLOY, target

from . import watch, writer
from .client import Client
from .errors import DrillFailedError
from .timeline import PAUSE, Span

MOVES = ("The service moves over", "The service moves back")
"""Operations of upgrade.py that move the service."""
SECONDS_BEFORE = 5.0
SECONDS_AFTER = 10.0
SKEW = 2.0
"""Seconds by which the clocks of host and client may have parted during an upgrade."""


@attrs.frozen
class Upgrade:
    """What the client saw. Times are seconds after the upgrade's begin."""

    before: dict[str, str]
    """The kernel of each node."""
    after: dict[str, str]
    phases: tuple[Span, ...]
    gaps: dict[str, float]
    """The longest wait for an acknowledgement in each move of the service, in seconds."""
    pauses: tuple[Span, ...]
    """All waits of more than a second."""
    acked: int
    errors: int
    lost: int

    def to_json(self) -> dict[str, object]:
        """The figures, for a program."""
        return {
            "kernels": {"before": self.before, "after": self.after},
            "seconds": round(self.phases[-1].end, 1),
            "phases": {span.name: round(span.seconds, 1) for span in self.phases},
            "gap_seconds": {name: round(gap, 3) for name, gap in self.gaps.items()},
            "pauses": [[round(each.start, 1), round(each.seconds, 1)] for each in self.pauses],
            "acked": self.acked,
            "errors": self.errors,
            "lost": self.lost,
        }

    def table(self) -> Table:
        """The figures, for a terminal."""
        table = Table(title="Kernel upgrade under a writing client", title_justify="left")
        table.add_column("phase")
        table.add_column("seconds", justify="right")
        table.add_column("client's longest wait", justify="right")
        for span in self.phases:
            gap = self.gaps.get(span.name)
            table.add_row(span.name, f"{span.seconds:.1f}", "" if gap is None else f"{gap:.1f}")
        table.add_section()
        table.add_row("acknowledged", f"{self.acked:,}", "")
        table.add_row("lost", f"{self.lost:,}", "")
        return table


def run(
    lab: Lab, nodes: tuple[str, str], client_name: str, *, inventory: Path, to: str | None,
    out: Path, progress: Progress,
) -> Upgrade:  # fmt: skip
    """Let the client write, upgrade both nodes' kernels, read back, report.

    Writes `drill-upgrade-kernel.json` to `out`. Raises DrillRefusedError before anything is
    written, DrillFailedError where the upgrade or the client fails.
    """
    client = Client(lab, client_name)
    disk = client.prepare()
    before = _kernels(lab, nodes)
    (clock,) = lab.set_clocks((client_name,)).values()
    starts: list[tuple[str, float]] = []

    def seen(operation: str) -> None:
        starts.append((operation, time.time()))
        progress.say(f"  {operation}")

    try:
        with progress.step(f"{client_name} writes to {disk.device}"):
            client.start(disk, secrets.token_bytes(16))
            watch.started(client)
            watch.steady(client, SECONDS_BEFORE)
        with progress.step("kernel upgrade of both nodes"):
            done = pyinfra(*target(to), inventory=str(inventory), deploy=str(DEPLOY), seen=seen)
            ended = time.time()
        out.mkdir(parents=True, exist_ok=True)
        (out / "drill-upgrade-kernel.log").write_text(done.log)
        _whole(done, out)
        watch.steady(client, SECONDS_AFTER)
        client.stop()
    except (DrillFailedError, LabError, KeyboardInterrupt):
        client.let_go()
        raise
    lines = writer.read_log(client.log())
    with progress.step(f"{client_name} reads every acknowledged block back"):
        verdict = client.verify(disk)
    began = starts[0][1]
    ahead = clock.offset_ms / 1000
    ends = [line.wall - began - ahead for line in lines if isinstance(line, writer.Ack)]
    times = [(name, at - began) for name, at in starts]
    found = Upgrade(
        before=before,
        after=_kernels(lab, nodes),
        phases=tuple(
            Span(name, at, until)
            for (name, at), (_, until) in pairwise([*times, ("", ended - began)])
        ),
        gaps=gaps(ends, times, ended - began),
        pauses=tuple(Span("pause", a, b) for a, b in pairwise(ends) if b - a > PAUSE),
        acked=len(ends),
        errors=sum(isinstance(line, writer.Failure) for line in lines),
        lost=int(str(verdict["lost"])),
    )
    text = json.dumps(found.to_json(), indent=2) + "\n"
    (out / "drill-upgrade-kernel.json").write_text(text)
    return found


def _whole(done: Run, out: Path) -> None:
    if done.returncode:
        raise DrillFailedError(f"the upgrade ended with {done.returncode}; its log is in {out}")


def gaps(
    ends: Sequence[float], starts: Sequence[tuple[str, float]], ended: float
) -> dict[str, float]:
    """The longest wait within each move of the service."""
    found = {}
    for (name, at), (_, until) in pairwise([*starts, ("", ended)]):
        if name in MOVES:
            waits = [b - a for a, b in pairwise(ends) if b > at - SKEW and a < until + SKEW]
            found[name] = max(waits, default=0.0)
    return found


def _kernels(lab: Lab, nodes: tuple[str, str]) -> dict[str, str]:
    return {node: lab.ssh(node, "uname -r").stdout.strip() for node in nodes}
