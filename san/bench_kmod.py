"""`san bench kmod`: what a module's build costs beside DKMS's, on one machine of the lab."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import click
from rich.console import Console
from rich.table import Table

from san.check import init
from san.demo import converge, deployed
from san.inventory import load
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress

ROUNDS = 3
NODE = "otter"
INVENTORY = Path("docs/examples/modules.py")
LIMIT = 900.0
"""Seconds for one of them: a compiler under emulation takes one or two minutes."""

_DEBS = "/var/cache/apt/archives"
_SOURCE = f"dpkg-deb -x {_DEBS}/dm-writeboost-dkms_*.deb /"
_DKMS = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends dkms"
_KEPT = "/root/kept.tar"

_FORGET = "rm -rf /var/lib/san/kmod/builds/* /var/lib/san/kmod/installed/*"
_TIMED = """\
{{ {before}; }} >/dev/null 2>&1
began=$(date +%s%N)
{{ {command}; }} >/root/bench.log 2>&1 || {{ tail -n 5 /root/bench.log >&2; exit 1; }}
ended=$(date +%s%N)
echo $(( (ended - began) / 1000000 ))
"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def kmod(context: click.Context, *, as_json: bool) -> None:
    """Time our build against `dkms build` and `dkms install`, the twin's build, and a check.

    Whole processes on one machine, one after the other, three rounds, medians.
    """
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    try:
        figures = _measure(_prepared(progress), progress)
    except LabError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _prepared(progress: Progress) -> Lab:
    """The lab with the module built on both nodes, and DKMS beside it on one."""
    lab = deployed(progress)
    with progress.step("the module's source on both nodes"):
        for node in load(INVENTORY).clusters[0].nodes:
            lab.ssh(node.name, _SOURCE)
    converge(progress, "deploy with the module", inventory=INVENTORY)
    with progress.step(f"DKMS on {NODE}"):
        lab.ssh(NODE, f"{_DKMS} && dkms add dm-writeboost/2.2.17", timeout=LIMIT)
    return lab


def _measure(lab: Lab, progress: Progress) -> dict[str, object]:
    release = lab.ssh(NODE, "uname -r").stdout.strip()
    where = f"/var/lib/san/kmod/builds/dm-writeboost/{release}"
    key = lab.ssh(NODE, f"cp {where}/*.tar {_KEPT}; basename {where}/*.tar .tar").stdout.strip()
    sha256 = lab.ssh(NODE, f"sha256sum {_KEPT}").stdout.split()[0]
    module = f"dm-writeboost/2.2.17 -k {release}"
    contestants = {
        "dkms build, dkms install": (
            f"dkms remove {module}; dkms add dm-writeboost/2.2.17",
            f"dkms build {module} && dkms install --force {module}",
        ),
        "san-kmod build": (_FORGET, f"san-kmod build --kernel {release}"),
        "the twin's build": (
            f"{_FORGET}; cp {_KEPT} /root/arrived.tar",
            f"san-kmod import dm-writeboost {release} {key} {sha256} /root/arrived.tar",
        ),
        "a check": (":", "san-kmod report"),
    }
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(1, ROUNDS + 1):
        for name, (before, command) in contestants.items():
            with progress.step(f"round {number} of {ROUNDS}: {name}"):
                script = _TIMED.format(before=before, command=command)
                done = lab.ssh(NODE, script, timeout=LIMIT)
            taken[name].append(int(done.stdout) / 1000)
    seconds = {name: round(median(times), 2) for name, times in taken.items()}
    dkms, *_ = seconds.values()
    return {
        "release": release,
        "accel": lab.accel,
        "seconds": taken,
        "median_seconds": seconds,
        "ratio_to_dkms": {name: round(each / dkms, 3) for name, each in seconds.items()},
    }


def _show(figures: Mapping[str, object]) -> None:
    table = Table(title=f"dm-writeboost for {figures['release']}, median of {ROUNDS}")
    table.add_column("what")
    table.add_column("seconds", justify="right")
    table.add_column("of DKMS's", justify="right")
    seconds, ratios = figures["median_seconds"], figures["ratio_to_dkms"]
    assert isinstance(seconds, dict)  # noqa: S101 (our own, a few lines above)
    assert isinstance(ratios, dict)  # noqa: S101
    for name in seconds:
        table.add_row(name, f"{seconds[name]:.2f}", f"{ratios[name]:.3f}")
    Console().print(table)
