"""`san lab`: the lab's commands."""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Concatenate, ParamSpec

import click
from rich.console import Console
from rich.table import Table

from san.lab import accel, bmc, lifecycle, power, remote
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout, default_directory
from san.lab.machines import BMCS, MACHINES, SEGMENTS, SERIAL
from san.lab.progress import Report
from san.lab.sources import SUITES, default_suite

P = ParamSpec("P")

HOST = click.Choice(list(MACHINES))
NODE = click.Choice(BMCS)
SEGMENT = click.Choice(SEGMENTS)
DISK = click.Choice(sorted({disk.serial for m in MACHINES.values() for disk in m.disks}))


class LabCommands(click.Group):
    """Turns the lab's errors into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; SIGTERM ends it like Ctrl-C."""
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise click.ClickException(str(error)) from error


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def with_lab(action: Callable[Concatenate[Lab, P], None]) -> Callable[P, None]:
    """Give a command the running lab."""

    @wraps(action)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        layout = click.get_current_context().find_object(Layout)
        assert layout  # noqa: S101 (set by the group)
        action(Lab.open(layout.directory), *args, **kwargs)

    return command


@click.group(cls=LabCommands)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The lab's directory.  [default: SAN_LAB_DIR, or build/lab of the project]",
)
@click.pass_context
def lab(ctx: click.Context, directory: Path | None) -> None:
    """Two storage nodes and a client in QEMU, with snapshots and faults."""
    ctx.obj = Layout(directory or default_directory())


@lab.command()
@click.option("--suite", type=click.Choice(SUITES), help="Debian on the machines.  [bookworm]")
@click.option("--accel", "wanted", type=click.Choice(accel.CHOICES), default="auto")
@click.pass_obj
def up(layout: Layout, suite: str | None, wanted: str) -> None:
    """Start the lab: image, boot, snapshot `bare`."""
    report = Report()
    chosen = suite or default_suite()
    lifecycle.up(layout, lifecycle.Wanted(chosen, wanted), report)
    report.say(f"ssh -F {layout.ssh_config} {'|'.join(MACHINES)}, or `san lab ssh HOST`")


@lab.command()
@click.pass_obj
def down(layout: Layout) -> None:
    """End everything that the lab has started."""
    ended = lifecycle.down(layout)
    Report().say("the lab is down" if ended else "no lab was up")


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_lab
def status(running: Lab, *, as_json: bool) -> None:
    """Show machines, faults and snapshots."""
    now = running.state
    powered = {host: power.powered(running.layout, host) for host in MACHINES}
    if as_json:
        value = {
            "directory": str(running.layout.directory),
            "suite": now.suite,
            "accel": now.accel,
            "ssh_config": str(running.ssh_config),
            "machines": {
                host: {"powered": on, "port": now.ports[host]} for host, on in powered.items()
            },
            "bmcs": {
                host: {"running": bmc.running(running.layout, host), "port": now.bmc_ports[host]}
                for host in BMCS
            },
            "faults": {
                "cut": now.faults.cut,
                "broken": now.faults.broken,
                "delay_ms": now.faults.delay_ms,
                "bandwidth_mbit": now.faults.bandwidth_mbit,
                "bmc_cut": now.faults.bmc_cut,
                "bmc_lie": now.faults.bmc_lie,
            },
            "snapshots": running.snapshots(),
        }
        click.echo(json.dumps(value, indent=2))
        return
    columns = ("machine", "power", "ssh port", "BMC port", "faults")
    table = Table(*columns, title=f"{now.suite}, {now.accel}")
    for host, on in powered.items():
        faults = [
            *(f"{name} cut" for name in now.faults.cut),
            *(f"{name} failing" for name in now.faults.broken),
            *(f"{name} BMC cut" for name in now.faults.bmc_cut),
            *(f"{name} BMC lies" for name in now.faults.bmc_lie),
        ]
        mine = [fault.removeprefix(f"{host} ") for fault in faults if fault.startswith(f"{host} ")]
        ports = str(now.ports[host]), str(now.bmc_ports.get(host, ""))
        table.add_row(host, "on" if on else "off", *ports, ", ".join(mine))
    console = Console()
    console.print(table)
    if SERIAL in now.faults.cut:
        console.print("the serial cable is cut")
    for segment in SEGMENTS:
        slow = (now.faults.delay_ms.get(segment, 0), now.faults.bandwidth_mbit.get(segment, 0))
        if any(slow):
            console.print(f"{segment}: delay {slow[0]:g} ms, bandwidth {slow[1]:g} Mbit/s (0: all)")
    console.print(f"snapshots: {', '.join(running.snapshots())}")


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("host", type=HOST)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@with_lab
def ssh(running: Lab, host: str, command: tuple[str, ...]) -> None:
    """Open a shell on HOST, or run COMMAND there."""
    line = remote.command_line(running.ssh_config, host, " ".join(command) or None)
    sys.stdout.flush()
    os.execvp(line[0], line)  # noqa: S606


@lab.command()
@click.argument("name")
@with_lab
def snapshot(running: Lab, name: str) -> None:
    """Keep this moment of all machines as NAME."""
    with Report().step(f"snapshot {name}"):
        running.snapshot(name)


@lab.command()
@click.argument("name")
@with_lab
def restore(running: Lab, name: str) -> None:
    """Bring all machines back to the moment NAME."""
    report = Report()
    with report.step(f"restore of {name}"):
        clocks = running.restore(name)
    report.say(remote.describe(clocks))


@lab.group()
def fault() -> None:
    """Cut power and cables, break disks, slow segments down."""


@fault.command("power-cut")
@click.argument("host", type=HOST)
@with_lab
def power_cut(running: Lab, host: str) -> None:
    """Take HOST's power away."""
    running.power_cut(host)


@fault.command("power-on")
@click.argument("host", type=HOST)
@with_lab
def power_on(running: Lab, host: str) -> None:
    """Give HOST its power back, and wait until it answers."""
    with Report().step(f"boot of {host}"):
        running.power_on(host)
        running.wait_ssh([host])
        running.set_clocks([host])


@fault.command()
@click.argument("host", type=HOST)
@with_lab
def reset(running: Lab, host: str) -> None:
    """Press HOST's reset button."""
    running.reset(host)


@fault.command()
@click.argument("host", type=HOST)
@with_lab
def freeze(running: Lab, host: str) -> None:
    """Stop HOST's processors."""
    running.freeze(host)


@fault.command()
@click.argument("host", type=HOST)
@with_lab
def thaw(running: Lab, host: str) -> None:
    """Let HOST's processors go on."""
    running.thaw(host)


@fault.command("serial-cut")
@with_lab
def serial_cut(running: Lab) -> None:
    """Pull the serial cable between both nodes."""
    running.serial_cut()


@fault.command("serial-up")
@with_lab
def serial_up(running: Lab) -> None:
    """Plug the serial cable in again."""
    running.serial_up()


@fault.command("link-cut")
@click.argument("host", type=HOST)
@click.argument("segment", type=SEGMENT)
@with_lab
def link_cut(running: Lab, host: str, segment: str) -> None:
    """Pull HOST's cable out of SEGMENT."""
    running.link_cut(host, segment)


@fault.command("link-up")
@click.argument("host", type=HOST)
@click.argument("segment", type=SEGMENT)
@with_lab
def link_up(running: Lab, host: str, segment: str) -> None:
    """Plug HOST's cable into SEGMENT again."""
    running.link_up(host, segment)


@fault.command("disk-error")
@click.argument("host", type=HOST)
@click.argument("disk", type=DISK)
@with_lab
def disk_error(running: Lab, host: str, disk: str) -> None:
    """Make every request to DISK of HOST fail."""
    running.disk_error(host, disk)


@fault.command("disk-heal")
@click.argument("host", type=HOST)
@click.argument("disk", type=DISK)
@with_lab
def disk_heal(running: Lab, host: str, disk: str) -> None:
    """Let DISK of HOST work again."""
    running.disk_heal(host, disk)


@fault.command()
@click.argument("segment", type=SEGMENT)
@click.argument("milliseconds", type=click.FloatRange(0, 60_000))
@with_lab
def delay(running: Lab, segment: str, milliseconds: float) -> None:
    """Delay SEGMENT by MILLISECONDS in each direction; 0 ends it."""
    running.delay(segment, milliseconds)


@fault.command()
@click.argument("segment", type=SEGMENT)
@click.argument("megabits", type=click.FloatRange(0, 100_000))
@with_lab
def bandwidth(running: Lab, segment: str, megabits: float) -> None:
    """Limit SEGMENT to MEGABITS per second; 0 ends it."""
    running.bandwidth(segment, megabits)


@fault.command("bmc-cut")
@click.argument("host", type=NODE)
@with_lab
def bmc_cut(running: Lab, host: str) -> None:
    """Take HOST's BMC away: no question to it is answered."""
    running.bmc_cut(host)


@fault.command("bmc-lie")
@click.argument("host", type=NODE)
@with_lab
def bmc_lie(running: Lab, host: str) -> None:
    """Let HOST's BMC say that it did what it was asked, and do nothing."""
    running.bmc_lie(host)


@fault.command("bmc-restore")
@click.argument("host", type=NODE)
@with_lab
def bmc_restore(running: Lab, host: str) -> None:
    """Let HOST's BMC answer again, and tell the truth."""
    running.bmc_restore(host)
