"""The private networks: for each segment two switches and a wire, which can delay, between them."""

import socket
import subprocess
from pathlib import Path

import tenacity

from san.lab import process
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import SEGMENTS

_START_LIMIT_S = 10.0  # both daemons answer within milliseconds on an idle host
_PROMPT = b"VDEwf$ "
_SUCCESS = b"1000 Success"


def start(layout: Layout) -> None:
    """Start the switches and wires of all segments."""
    for segment in SEGMENTS:
        near, far = (layout.switch(segment, side) for side in ("near", "far"))
        near.parent.mkdir(parents=True, exist_ok=True)
        for switch in (near, far):
            _daemon(layout, switch.name, ["vde_switch", "--sock", str(switch), "--mode", "600"])
            process.wait_socket(switch / "ctl")
        control = layout.wire_control(segment)
        wire = ["wirefilter", "--vde-plug", f"{near}:{far}", "--mgmt", str(control)]
        _daemon(layout, f"{segment}-wire", [*wire, "--mgmtmode", "600"])
        process.wait_socket(control)


def set_delay(layout: Layout, segment: str, milliseconds: float) -> None:
    """Delay every frame that crosses the wire, in each direction."""
    _tell(layout.wire_control(segment), f"delay {milliseconds:g}")


def set_bandwidth(layout: Layout, segment: str, megabits: float) -> None:
    """Limit the wire to `megabits` per second in each direction; 0 means no limit."""
    _tell(layout.wire_control(segment), f"bandwidth {megabits * 1_000_000 / 8:.0f}")


def _daemon(layout: Layout, name: str, command: list[str]) -> None:
    pid_file = layout.processes / f"{name}.pid"
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with process.uninterrupted():
        ended = subprocess.run(
            [*command, "--daemon", "--pidfile", str(pid_file)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            timeout=_START_LIMIT_S,
        )
        if ended.returncode:
            msg = f"{command[0]} for {name} doesn't start: {ended.stderr.strip()}"
            raise LabError(msg)
        for attempt in tenacity.Retrying(
            stop=tenacity.stop_after_delay(_START_LIMIT_S),
            wait=tenacity.wait_fixed(0.02),
            retry=tenacity.retry_if_exception_type((FileNotFoundError, ValueError)),
            reraise=True,
        ):
            with attempt:  # the daemon writes its pid file after its parent has gone
                process.adopt(pid_file, layout.processes / f"{name}.json")


def _tell(control: Path, command: str) -> None:
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(_START_LIMIT_S)
            wire.connect(str(control))
            _until_prompt(wire)
            wire.sendall(command.encode() + b"\n")
            answer = _until_prompt(wire)
    except OSError as error:
        msg = f"the wire {control.stem} doesn't answer: {error}; `san lab down` and `san lab up`"
        raise LabError(msg) from error
    if _SUCCESS not in answer:
        msg = f"the wire {control.stem} refuses '{command}': {answer.decode(errors='replace')}"
        raise LabError(msg)


def _until_prompt(wire: socket.socket) -> bytes:
    said = b""
    while not said.endswith(_PROMPT):
        received = wire.recv(4096)
        if not received:
            msg = "it hung up"
            raise ConnectionError(msg)
        said += received
    return said
