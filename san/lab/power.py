"""A machine's power: on, off, and its QEMU in between."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import tenacity

from san.lab import process, qemu, qmp, requirements
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import MACHINES
from san.lab.state import State

_START_LIMIT_S = 60.0  # with a snapshot QEMU reads up to 768 MiB first
_CUT_LIMIT_S = 5.0  # QEMU ends within 0.2 s


def record(layout: Layout, host: str) -> Path:
    """Where the process of a machine is written down."""
    return layout.processes / f"{host}.json"


def powered(layout: Layout, host: str) -> bool:
    """Whether the machine's QEMU runs."""
    return process.running(record(layout, host)) is not None


def powered_hosts(layout: Layout) -> list[str]:
    """Name the machines that are on, in the lab's order."""
    return [host for host in MACHINES if powered(layout, host)]


def on(layout: Layout, state: State, host: str, snapshot: str | None = None) -> None:
    """Start a machine; one with a snapshot is loaded, and stays paused."""
    binary = qemu_binary()
    boot = qemu.Boot(
        binary=binary,
        accel=state.accel,
        port=state.ports[host],
        snapshot=snapshot,
    )
    layout.qmp(host).unlink(missing_ok=True)
    log = layout.log(f"{host}-qemu")
    process.spawn(qemu.argv(MACHINES[host], layout, boot), record(layout, host), log)
    _wait_control(layout, host)


def off(layout: Layout, host: str) -> None:
    """End a machine's QEMU as a power cut does: at once, and the guest isn't told."""
    if powered(layout, host):
        qmp.quit_machine(layout.qmp(host))
        process.wait_end(record(layout, host), _CUT_LIMIT_S)
    process.end(record(layout, host))


def each(hosts: Iterable[str], action: Callable[[str], object]) -> None:
    """Do something on several machines at once; the first failure is raised when all are done."""
    with ThreadPoolExecutor(len(MACHINES)) as pool:
        list(pool.map(action, hosts))


@cache
def qemu_binary() -> str:
    """Path of QEMU on this machine."""
    requirements.check()
    found = requirements.find("qemu-system-x86_64")
    assert found  # noqa: S101 (checked the line before)
    return found


def _wait_control(layout: Layout, host: str) -> None:
    """Wait for QEMU's first answer; when it has ended instead, say why."""
    log = layout.log(f"{host}-qemu")
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(_START_LIMIT_S),
        wait=tenacity.wait_fixed(0.05),
        retry=tenacity.retry_if_exception(lambda _: powered(layout, host)),
        reraise=True,
    ):
        with attempt:
            if not powered(layout, host):
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                msg = f"QEMU of {host} ends at its start: {''.join(last)} (log: {log})"
                raise LabError(msg)
            qmp.execute(layout.qmp(host), "query-status")
