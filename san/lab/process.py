"""Processes that outlive the command which started them, and end by their own record only.

A record is the process's id with its start time (clock ticks since the host's boot): an id that
has been given to another process since then never matches.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import tenacity

from san.lab.errors import LabError

_SOCKET_LIMIT_S = 30.0  # Python's imports, on a busy host; others answer within milliseconds
_TERM_LIMIT_S = 5.0  # QEMU closes its disks in well under a second


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back for a moment: nothing starts without being recorded."""
    caught: list[tuple[int, FrameType | None]] = []
    before: dict[int, Any] = {}
    try:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            before[wanted] = signal.signal(wanted, lambda n, f: caught.append((n, f)))
    except ValueError:  # only the main thread receives signals: any other one is safe already
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number, _ in caught:
        os.kill(os.getpid(), number)


def start_time(pid: int) -> int | None:
    """When `pid` started, in clock ticks since the host's boot; None when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def spawn(argv: Sequence[str], record: Path, log: Path) -> int:
    """Start `argv` in a session of its own, write its record, and return its id."""
    record.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with uninterrupted(), log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
        record.write_text(json.dumps([process.pid, start_time(process.pid)]))
    return process.pid


def adopt(pid_file: Path, record: Path) -> int:
    """Record a daemon that has written its own pid file; return its id."""
    pid = int(pid_file.read_text())
    record.write_text(json.dumps([pid, start_time(pid)]))
    return pid


def running(record: Path) -> int | None:
    """Id of the recorded process if it still runs, else None."""
    try:
        pid, started = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return None
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours, perhaps ended: leave no zombie
    return pid if started is not None and start_time(pid) == started else None


def wait_end(record: Path, limit_s: float) -> bool:
    """Wait until the recorded process has ended; False when it runs on after `limit_s`."""
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(limit_s),
        wait=tenacity.wait_fixed(0.02),
        retry=tenacity.retry_if_result(lambda pid: pid is not None),
        retry_error_callback=lambda _: True,
    )
    return retry(running, record) is None


@tenacity.retry(
    stop=tenacity.stop_after_delay(_SOCKET_LIMIT_S),
    wait=tenacity.wait_fixed(0.02),
    retry=tenacity.retry_if_exception_type(LabError),
    reraise=True,
)
def wait_socket(path: Path) -> None:
    """Wait until a process of the lab listens at `path`."""
    if not path.is_socket():
        msg = f"{path} doesn't appear: see `san lab status`, then `san lab down` and `san lab up`"
        raise LabError(msg)


def end(record: Path) -> None:
    """End the recorded process, by SIGTERM and if need be by SIGKILL, and drop its record."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = running(record)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        wait_end(record, _TERM_LIMIT_S)
    if running(record) is not None:
        msg = f"process {running(record)} of {record} survives SIGKILL: see what it waits for"
        raise LabError(msg)
    record.unlink(missing_ok=True)
