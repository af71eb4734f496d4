"""`san bench kmod`: what a module's build costs beside DKMS's, on one machine of the lab."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from san.check import init
from san.demo import bare_lab
from san.inventory import load
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.progress import Report as Progress
from san.model import KernelModule
from san.render.kmod import DESCRIPTIONS, PROGRAM, description
from san.render.template import raw

ROUNDS = 3
NODE = "otter"
INVENTORY = Path("docs/examples/modules.py")
LIMIT = 900.0
"""Seconds for one of them: a compiler under emulation takes one or two minutes."""

AIMS = {"san-kmod build": 1.0, "the twin's build": 0.1}
"""The most that each may take of DKMS's time."""

_PREPARED = """\
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\
    dkms binutils make patch linux-headers-$(uname -r)
dpkg-deb -x /var/cache/apt/archives/{name}-dkms_*.deb /
dkms add {name}/{version}
"""
# Each ends where the next one begins: with nothing built by it.
_TIMED = """\
{{ {before}; }} >/dev/null 2>&1
began=$(date +%s%N)
{{ {command}; }} >/root/bench.log 2>&1 || {{ tail -n 5 /root/bench.log >&2; exit 1; }}
ended=$(date +%s%N)
echo $(( (ended - began) / 1000000 ))
"""
_FORGET = "rm -rf /var/lib/san/kmod/builds/* /var/lib/san/kmod/installed/*"
_KEPT = "/root/arrived.tar"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_context
def kmod(context: click.Context, *, as_json: bool) -> None:
    """Time our build against `dkms build` and `dkms install`, the twin's build, and a check.

    Whole processes on one bare machine, one after the other, three rounds, medians.
    """
    progress = Progress()
    context.invoke(init, inventory=INVENTORY)
    (module,) = load(INVENTORY).clusters[0].modules
    try:
        lab = bare_lab(progress)
        _prepare(lab, module, progress)
        figures = _measure(lab, module, progress)
    except LabError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _prepare(lab: Lab, module: KernelModule, progress: Progress) -> None:
    """DKMS and `san-kmod` side by side, both told of the module."""
    with progress.step(f"compiler, DKMS and the module's source on {NODE}"):
        prepared = _PREPARED.format(name=module.name, version=module.version)
        lab.ssh(NODE, f"set -e\n{prepared}", timeout=LIMIT)
        lab.ssh(NODE, f"install -m 0755 /dev/stdin {PROGRAM}", input=raw("kmod/san-kmod"))
        told = f"{DESCRIPTIONS}/{module.name}.conf"
        lab.ssh(NODE, f"install -D -m 0644 /dev/stdin {told}", input=description(module))


def _measure(lab: Lab, module: KernelModule, progress: Progress) -> dict[str, Any]:
    release = lab.ssh(NODE, "uname -r").stdout.strip()
    finished = f"/var/lib/san/kmod/builds/{module.name}/{release}/*.tar"
    keep = f"key=$(basename {finished} .tar); cp {finished} {_KEPT}; sum=$(sha256sum <{_KEPT})"
    known = f"{module.name}/{module.version}"
    for_kernel = f"{known} -k {release}"
    contestants = {
        "dkms build, dkms install": (
            f"dkms remove {for_kernel}; dkms add {known}",
            f"dkms build {for_kernel} && dkms install --force {for_kernel}",
        ),
        "san-kmod build": (_FORGET, f"san-kmod build --kernel {release}"),
        "the twin's build": (
            f"{keep}; {_FORGET}",
            f"san-kmod import {module.name} {release} $key ${{sum%% *}} {_KEPT}",
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
        "module": known,
        "release": release,
        "accel": lab.accel,
        "seconds": taken,
        "median_seconds": seconds,
        "ratio_to_dkms": {name: round(each / dkms, 3) for name, each in seconds.items()},
        "aims": AIMS,
    }


def _show(figures: Mapping[str, Any]) -> None:
    table = Table("what", title=f"{figures['module']}, median of {ROUNDS}")
    for heading in ("seconds", "of DKMS's", "aim"):
        table.add_column(heading, justify="right")
    for name, seconds in figures["median_seconds"].items():
        ratio = f"{figures['ratio_to_dkms'][name]:.3f}"
        aim = f"{AIMS[name]:.1f}" if name in AIMS else ""
        table.add_row(name, f"{seconds:.2f}", ratio, aim)
    console = Console()
    console.print(table)
    console.print(f"built for {figures['release']} on {NODE}", highlight=False)
