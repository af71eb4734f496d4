"""The one fault that `san demo` shows: the node that serves loses its power, and stays without."""

import json
from pathlib import Path

from san.lab.lab import Lab
from san.lab.progress import Report as Progress

from . import picture, strikes
from .errors import DrillFailedError
from .fault import Expectation, Fault, Step
from .report import BUCKET, Report
from .scenario import play
from .stage import SERVING
from .watch import RECOVERY

ALONE = Fault(
    "power-cut",
    "Power cut",
    (Step(0, strikes.power_cut(SERVING)),),
    Expectation(gap=RECOVERY, serves="standby", person="give it its power back", limit=RECOVERY),
)
"""The matrix's first row without its end: the struck node stays off, for whoever wants to look."""


def run(lab: Lab, nodes: tuple[str, str], client: str, *, out: Path, progress: Progress) -> Report:
    """Cut the serving node's power under a writing client, and tell the takeover's phases.

    Writes `drill-power-cut.json`, its picture and logs to `out`. Raises DrillFailedError when the
    client doesn't come back; lost writes are in the report.
    """
    seen = play(lab, ALONE, nodes, client, out=out, progress=progress)
    report = seen.failover
    if report is None:
        raise DrillFailedError(
            f"{'; '.join(seen.problems) or 'no takeover can be seen'}; the logs are in "
            f"{out}/drill-{seen.fault}"
        )
    save(report, out)
    return report


def save(report: Report, out: Path) -> None:
    """Write a takeover's report and its picture."""
    text = json.dumps(report.to_json(), indent=2) + "\n"
    (out / f"drill-{report.fault}.json").write_text(text)
    (out / f"drill-{report.fault}.svg").write_text(picture.draw(report, BUCKET))
