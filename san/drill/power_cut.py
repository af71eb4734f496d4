"""The fault: the node that serves loses its power."""

from pathlib import Path

from san.lab.lab import Lab
from san.lab.progress import Report as Progress

from .report import Report
from .scenario import play

SECONDS_BEFORE = 10.0
"""Seconds of steady writing before the cut: enough to see what steady is."""


class PowerCut:
    """Take the power of a node away, as pulling both its cables does."""

    name = "power-cut"
    title = "Power cut"

    def strike(self, lab: Lab, node: str) -> None:
        """Cut `node`'s power."""
        lab.power_cut(node)


def run(
    lab: Lab,
    nodes: tuple[str, str],
    client: str,
    *,
    out: Path,
    seconds_before: float = SECONDS_BEFORE,
    progress: Progress,
) -> Report:
    """Cut the serving node's power under a writing client; see `scenario.play`."""
    return play(
        lab, PowerCut(), nodes, client, seconds_before=seconds_before, out=out, progress=progress
    )
