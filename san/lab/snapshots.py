"""One moment of all machines, memory and disks, kept inside their qcow2 disks.

A machine that is powered off then has its disks kept alone, and is powered off again by a restore.
"""

import re
import subprocess
from collections.abc import Callable

from san.lab import hardware, power, qmp
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import MACHINES, machine
from san.lab.state import Snapshot, State

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # QEMU takes a number for a snapshot's id


def save(
    layout: Layout,
    state: State,
    name: str,
    *,
    origin: str = "",
    while_paused: Callable[[], None] | None = None,
) -> State:
    """Keep this moment as `name`, replacing an older one of that name; return the new state.

    `origin` is remembered with it. `while_paused` is called when all disks are written and no
    machine runs yet.
    """
    if not _NAME.fullmatch(name):
        msg = f"'{name}' is no name for a snapshot: a small letter, then letters, digits, hyphens"
        raise LabError(msg)
    powered = power.powered_hosts(layout)
    try:
        power.each(powered, lambda host: qmp.execute(layout.qmp(host), "stop"))
        power.each(powered, lambda host: qmp.monitor(layout.qmp(host), f"savevm {name}"))
        for host in MACHINES:
            if host not in powered:
                _save_disks(layout, host, name)
        if while_paused:
            while_paused()
    finally:
        power.each(powered, lambda host: qmp.execute(layout.qmp(host), "cont"))
    return state.with_snapshot(name, Snapshot(tuple(powered), state.faults, origin))


def load(layout: Layout, state: State, name: str) -> Snapshot:
    """Bring all machines to the moment `name`, paused; return what it was.

    Each machine is a new QEMU: one that had run on would still hold frames and bytes of the serial
    cable on their way to it. Heartbeat hears in them its peer's later sequence numbers, takes the
    peer that comes back for a stale one, and declares it dead.
    """
    taken = state.snapshots.get(name)
    if taken is None:
        known = ", ".join(state.snapshots) or "none"
        msg = f"there is no snapshot '{name}' (there are: {known})"
        raise LabError(msg)
    if hardware.digest(state.accel, power.qemu_binary()) != state.hardware:
        msg = (
            f"snapshot '{name}' is of other hardware: QEMU or the machines' definition has changed "
            "since the lab was started; `san lab down`, then `san lab up`"
        )
        raise LabError(msg)
    power.each(power.powered_hosts(layout), lambda host: power.off(layout, host))
    for host in MACHINES:
        if host not in taken.powered:
            _image_command(layout, host, "-a", name)
    power.each(taken.powered, lambda host: power.on(layout, state, host, snapshot=name))
    return taken


def go_on(layout: Layout, taken: Snapshot) -> None:
    """Let the machines of a loaded snapshot run, all at once."""
    power.each(taken.powered, lambda host: qmp.execute(layout.qmp(host), "cont"))


def _save_disks(layout: Layout, host: str, name: str) -> None:
    if name in _disk_snapshots(layout, host):
        _image_command(layout, host, "-d", name)
    _image_command(layout, host, "-c", name)


def _disk_snapshots(layout: Layout, host: str) -> list[str]:
    listed = subprocess.run(
        ["qemu-img", "snapshot", "-l", layout.disk(host, "system")],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split()[1] for line in listed.stdout.splitlines()[2:]]


def _image_command(layout: Layout, host: str, option: str, name: str) -> None:
    for serial in ("system", *(disk.serial for disk in machine(host).disks)):
        done = subprocess.run(
            ["qemu-img", "snapshot", option, name, layout.disk(host, serial)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            msg = f"snapshot '{name}' of {host}'s disk {serial}: {done.stderr.strip()}"
            raise LabError(msg)
