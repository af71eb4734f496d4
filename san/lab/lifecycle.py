"""A lab's beginning and end."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from san.lab import (
    accel,
    bmc,
    booted,
    grub,
    hardware,
    identity,
    image,
    lock,
    power,
    process,
    remote,
    requirements,
    segments,
    serial_cable,
    snapshots,
)
from san.lab import state as states
from san.lab.errors import LabError
from san.lab.image import Image
from san.lab.lab import Lab
from san.lab.layout import Layout
from san.lab.machines import BMCS, MACHINES
from san.lab.progress import Report
from san.lab.state import Faults, Snapshot, State

BARE = "bare"  # the snapshot that `up` ends with
DEPLOYED = "deployed"  # the one with the cluster deployed and serving; `san demo` makes it

_SETTLE_LIMIT_S = 120.0  # the rest of the boot after sshd, under emulation on a busy host
_RESUME_LIMIT_S = 60.0  # 3 s on an idle host
_NAMES = {"kvm": "KVM", "tcg": "emulation, no KVM"}


@frozen
class Wanted:
    """What `up` is asked for."""

    suite: str
    accel: str = "auto"


def up(layout: Layout, wanted: Wanted, report: Report) -> Lab:
    """Start the lab unless it is up; after a failure or Ctrl-C nothing is left running."""
    requirements.check()
    with lock.locked(layout):
        if layout.state.exists():
            _check_up(layout, wanted)
            report.say(f"the lab in {layout.directory} is up already")
            return Lab(layout)
        _end_all(layout)  # what a killed `up` may have left
        try:
            states.write(layout.state, _start(layout, wanted, report))
        except BaseException:
            _end_all(layout)
            raise
    return Lab(layout)


def down(layout: Layout) -> bool:
    """End everything that the lab has started; False when nothing ran."""
    if not layout.directory.exists():
        return False
    with lock.locked(layout):
        return _end_all(layout)


def _check_up(layout: Layout, wanted: Wanted) -> None:
    now = states.read(layout.state)
    if now.suite != wanted.suite or wanted.accel not in ("auto", now.accel):
        msg = (
            f"the lab that is up has {now.suite} under {now.accel}, not {wanted.suite} under "
            f"{wanted.accel}: `san lab down` first"
        )
        raise LabError(msg)
    dead = [
        record.stem
        for record in layout.processes.glob("*.json")
        if record.stem not in MACHINES and process.running(record) is None
    ]
    if dead or not power.powered_hosts(layout):
        what = ", ".join(dead) or "all machines"
        msg = f"the lab is broken ({what} ended): `san lab down`, then `san lab up`"
        raise LabError(msg)


def _start(layout: Layout, wanted: Wanted, report: Report) -> State:
    made = image.provide(wanted.suite, report)
    binary = power.qemu_binary()
    chosen = accel.decide(wanted.accel, binary, made.kernel, layout, report)
    state = State(
        suite=wanted.suite,
        accel=chosen,
        hardware=hardware.digest(chosen, binary),
        ports=_free_ports(MACHINES, socket.SOCK_STREAM),
        bmc_ports=_free_ports(BMCS, socket.SOCK_DGRAM),
    )
    kept = booted.place(made, state.hardware)
    names = f"{', '.join(MACHINES)} ({wanted.suite}, {_NAMES[chosen]})"
    if kept.exists():
        with report.step(f"start of {names}, booted before"), contextlib.suppress(LabError):
            return _resume(layout, state, kept)
        report.say("they can't go on where they were: booting afresh")
        _end_all(layout)
        shutil.rmtree(kept)
    with report.step(f"boot of {names}"):
        _boot(layout, state, made)
    with report.step(f"snapshot {BARE}"):
        return snapshots.save(layout, state, BARE, while_paused=lambda: booted.keep(layout, kept))


def _resume(layout: Layout, state: State, kept: Path) -> State:
    """Let machines that have booted before go on from their snapshot."""
    booted.take(kept, layout)
    _write_identity(layout, state.ports)
    segments.start(layout)
    serial_cable.start(layout)
    bmc.start(layout, state.bmc_ports)
    bare = Snapshot(tuple(MACHINES), Faults())
    state = state.with_snapshot(BARE, bare)
    snapshots.load(layout, state, BARE)
    snapshots.go_on(layout, bare)
    remote.wait(layout.ssh_config, state.ports, _RESUME_LIMIT_S)
    remote.set_clocks(layout.ssh_config, list(MACHINES))
    return state


def _boot(layout: Layout, state: State, made: Image) -> None:
    """Boot blank machines and wait until they are quiet."""
    _make_disks(layout, made)
    _write_identity(layout, state.ports)
    segments.start(layout)
    serial_cable.start(layout)
    bmc.start(layout, state.bmc_ports)
    for host in MACHINES:
        power.on(layout, state, host)
    remote.wait(layout.ssh_config, state.ports)
    power.each(MACHINES, lambda host: _settle(layout, host))
    remote.set_clocks(layout.ssh_config, list(MACHINES))


def _settle(layout: Layout, host: str) -> None:
    """Wait for the end of the boot, so that the snapshot holds a quiet machine."""
    command = "systemctl is-system-running --wait"
    done = remote.run(layout.ssh_config, host, command, check=False, timeout=_SETTLE_LIMIT_S)
    if done.stdout.strip() != "running":
        failed = "systemctl --failed --plain --no-legend"
        units = remote.run(layout.ssh_config, host, failed, check=False).stdout.strip()
        msg = f"{host} has booted {done.stdout.strip() or done.stderr.strip()}: {units}"
        raise LabError(msg)


def _write_identity(layout: Layout, ports: Mapping[str, int]) -> None:
    """Write keys, what each machine boots with, and what ssh reads."""
    identity.make_key(layout.keys / "lab", "san-lab")
    for host, machine in MACHINES.items():
        identity.make_key(layout.keys / host, host)
        own = identity.archive(identity.files(machine, layout))
        layout.grub(host).write_bytes(grub.image(own))
    layout.ssh_config.write_text(identity.ssh_config_text(layout, ports))
    layout.known_hosts.write_text(identity.known_hosts_text(layout, ports))


def _make_disks(layout: Layout, made: Image) -> None:
    """Lay each machine's system disk over the image, and make its blank disks."""
    for host, machine in MACHINES.items():
        system = layout.disk(host, "system")
        system.parent.mkdir(parents=True, exist_ok=True)
        _make_disk("-F", "qcow2", "-b", str(made.disk), str(system))
        for disk in machine.disks:
            _make_disk(str(layout.disk(host, disk.serial)), f"{disk.size_mib}M")


def _make_disk(*arguments: str) -> None:
    done = subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        msg = f"qemu-img can't create a disk: {done.stderr.strip()}"
        raise LabError(msg)


def _free_ports(hosts: Iterable[str], kind: socket.SocketKind) -> dict[str, int]:
    """Choose a free port on loopback for each host, so that several labs can run."""
    with contextlib.ExitStack() as held:
        ports = {}
        for host in hosts:
            probe = held.enter_context(socket.socket(type=kind))
            probe.bind(("127.0.0.1", 0))
            ports[host] = probe.getsockname()[1]
        return ports


def _end_all(layout: Layout) -> bool:
    """End every recorded process and remove what belongs to this run; keep logs and keys."""
    records = sorted(layout.processes.glob("*.json"))
    alive = [record for record in records if process.running(record) is not None]
    for record in sorted(records, key=_ending):
        process.end(record)
    for made in ("disks", "net", "run"):
        shutil.rmtree(layout.directory / made, ignore_errors=True)
    for path in (layout.state, layout.ssh_config, layout.known_hosts):
        path.unlink(missing_ok=True)
    return bool(alive)


def _ending(record: Path) -> int:
    """Whose turn it is to end: a BMC could start its machine; machines hang on the switches."""
    if record.stem in map(bmc.name, BMCS):
        return 0
    return 1 if record.stem in MACHINES else 2
