"""ssh into the machines, and their clocks."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tenacity
from attrs import frozen

from san.lab.errors import LabError

# Under emulation a machine answers after 25 to 60 s, longer when the host is busy.
BOOT_LIMIT_S = 240.0
# A slow machine gets more patience the longer it has taken: a question that is given up and asked
# again costs its sshd another process.
_LEAST_PATIENCE_S = 6.0
_PATIENCE = 0.2  # of the time it has taken so far
_SAMPLES = 8
_ROUNDS = 5
_GOOD_NS = 500_000

_CLOCK = """
import sys, time
boot = open("/proc/sys/kernel/random/boot_id").read().replace("-", "").strip()
for line in iter(sys.stdin.readline, ""):
    if line.startswith("add"):
        time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns() + int(line.split()[1]))
    print(time.time_ns(), time.monotonic_ns(), boot, flush=True)
"""


@frozen
class Clock:
    """How far a machine's clock is from the host's after setting, and how well that is known."""

    offset_ms: float
    uncertainty_ms: float
    boot: str
    """The id of the machine's boot, as its journal has it."""
    booted: float
    """Seconds of this machine's clock at which that boot's monotonic clock stood at 0."""


def command_line(config: Path, host: str, command: str | None = None) -> list[str]:
    """Return the ssh command for `host`, for a shell there when `command` is None."""
    line = ["ssh", "-F", str(config), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    line += ["-o", f"ControlPath={_control(config)}", host]
    return line if command is None else [*line, "--", command]


@contextlib.contextmanager
def kept(config: Path, host: str) -> Iterator[None]:
    """Keep a connection to `host`: commands go through it meanwhile, and none costs a login.

    Not for a machine that is about to lose its power: a command would wait for the dead connection.
    """
    control = ["-o", f"ControlPath={_control(config)}", "-o", "ControlMaster=yes"]
    command = ["ssh", "-F", str(config), "-o", "BatchMode=yes", *control, "-N", host]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as master:
        try:
            yield
        finally:
            master.terminate()


def _control(config: Path) -> Path:
    """Where the socket of a kept connection is while there is one."""
    return config.parent / "run" / "%n.ssh"


def run(
    config: Path,
    host: str,
    command: str,
    *,
    check: bool = True,
    timeout: float = 120.0,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a shell command on `host`; a failure is a LabError that carries what it said."""
    try:
        done = subprocess.run(
            command_line(config, host, command),
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )
    except subprocess.TimeoutExpired as error:
        msg = f"{host}: `{command}` has not ended after {timeout:g} s"
        raise LabError(msg) from error
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        msg = f"{host}: `{command}` exits with {done.returncode}: {said}"
        raise LabError(msg)
    return done


def wait(config: Path, ports: Mapping[str, int], limit_s: float = BOOT_LIMIT_S) -> None:
    """Wait until every host in `ports` runs a command."""
    with ThreadPoolExecutor(len(ports) or 1) as pool:
        for waiting in [pool.submit(_wait, config, *item, limit_s) for item in ports.items()]:
            waiting.result()


def set_clocks(config: Path, hosts: Sequence[str]) -> dict[str, Clock]:
    """Set the hosts' clocks to this machine's, all at once; say how well."""
    with ThreadPoolExecutor(len(hosts) or 1) as pool:
        return dict(zip(hosts, pool.map(lambda host: _set_clock(config, host), hosts), strict=True))


def read_clocks(config: Path, hosts: Sequence[str]) -> dict[str, Clock]:
    """Tell the hosts' clocks against this machine's, all at once."""
    with ThreadPoolExecutor(len(hosts) or 1) as pool:
        read = pool.map(lambda host: _set_clock(config, host, rounds=0), hosts)
        return dict(zip(hosts, read, strict=True))


def describe(clocks: Mapping[str, Clock]) -> str:
    """Say in one line how well clocks were set."""
    each = (f"{host} {c.offset_ms:+.1f} ± {c.uncertainty_ms:.1f}" for host, c in clocks.items())
    return f"clocks against this machine's, in ms: {', '.join(each)}"


def _wait(config: Path, host: str, port: int, limit_s: float) -> None:
    start = time.monotonic()
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(limit_s),
        wait=tenacity.wait_fixed(0.3),
        retry=tenacity.retry_if_exception_type((OSError, LabError)),
        reraise=True,
    )
    try:
        retry(_greet, port, start)
        retry(run, config, host, "true", timeout=30)
    except (OSError, LabError) as error:
        took = time.monotonic() - start
        msg = f"{host} doesn't answer ssh after {took:.0f} s: {error}; its console is in log/"
        raise LabError(msg) from error


def _greet(port: int, start: float) -> None:
    """QEMU accepts for the guest at once: only a banner says that sshd is there."""
    patience = max(_LEAST_PATIENCE_S, _PATIENCE * (time.monotonic() - start))
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as probe:
        if not probe.recv(64).startswith(b"SSH-"):
            msg = "no ssh banner yet"
            raise ConnectionError(msg)


def _set_clock(config: Path, host: str, rounds: int = _ROUNDS) -> Clock:
    """Set a host's clock in so many rounds, or only read it when there are none."""
    command = command_line(config, host, f"exec python3 -SE -c '{_CLOCK}'")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as talk:

        def ask(question: str) -> tuple[float, float, float, str]:
            """Return round trip, offset, boot's begin (all in ns) and boot id of one exchange."""
            assert talk.stdin  # noqa: S101
            assert talk.stdout  # noqa: S101
            sent = time.time_ns()
            talk.stdin.write(f"{question}\n")
            talk.stdin.flush()
            answer = talk.stdout.readline()
            received = time.time_ns()
            if not answer:
                msg = f"{host}'s clock can't be set: python3 on it has ended"
                raise LabError(msg)
            wall, uptime, boot = answer.split()
            now = (sent + received) / 2
            return received - sent, int(wall) - now, now - int(uptime), boot

        try:
            trip, offset, booted, boot = min(ask("tell") for _ in range(_SAMPLES))
            # The guest's first attempt is late by what it takes to translate the code.
            for _ in range(rounds):
                if abs(offset) <= max(trip / 2, _GOOD_NS):
                    break
                ask(f"add {-offset:.0f}")
                trip, offset, booted, boot = min(ask("tell") for _ in range(_SAMPLES))
        except (OSError, ValueError) as error:
            msg = f"{host}'s clock can't be set: {error}"
            raise LabError(msg) from error
    return Clock(offset / 1e6, trip / 2e6, boot, booted / 1e9)
