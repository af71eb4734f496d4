"""Commands to a machine's QEMU over its control socket (QMP)."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import tenacity
from qemu.qmp import ConnectError, ExecInterruptedError, ExecuteError, QMPClient

from san.lab.errors import LabError

# QEMU serves one client at a time, and another `san lab` may be talking: wait for our turn.
_TURN_LIMIT_S = 30.0

Arguments = Mapping[str, object]


def execute(socket: Path, command: str, arguments: Arguments | None = None) -> object:
    """Send one command and return what it returns."""
    try:
        return asyncio.run(_execute(socket, command, arguments))
    except ExecuteError as error:
        msg = f"QEMU ({socket.stem}) refuses {command}: {error}"
        raise LabError(msg) from error
    except (ConnectError, TimeoutError, OSError) as error:
        msg = f"QEMU ({socket.stem}) doesn't answer on {socket}: is the machine powered on?"
        raise LabError(msg) from error


def monitor(socket: Path, line: str) -> str:
    """Send a line of the human monitor, for the few things that QMP has no command for."""
    said = str(execute(socket, "human-monitor-command", {"command-line": line})).strip()
    if said.startswith("Error"):
        msg = f"QEMU ({socket.stem}) refuses '{line}': {said}"
        raise LabError(msg)
    return said


def quit_machine(socket: Path) -> None:
    """End QEMU at once; the guest isn't told."""
    with contextlib.suppress(ExecInterruptedError, EOFError):
        execute(socket, "quit")


async def _execute(socket: Path, command: str, arguments: Arguments | None) -> object:
    client = QMPClient("san-lab")
    retry = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_delay(_TURN_LIMIT_S),
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_exception_type(TimeoutError),
        reraise=True,
    )
    async for attempt in retry:
        with attempt:
            await asyncio.wait_for(client.connect(str(socket)), timeout=_TURN_LIMIT_S)
    try:
        return await client.execute(command, dict(arguments or {}))
    finally:
        with contextlib.suppress(EOFError, ConnectError):
            await client.disconnect()
