"""The nodes' BMCs: management controllers that go on answering while their machine is off.

Each is a process of its own (`san.lab.bmc_server`) on a UDP port of loopback, which the machines
reach as 10.0.2.2.
"""

import socket
import sys
from collections.abc import Mapping

import tenacity

from san.lab import process
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import BMCS

ADDRESS = "10.0.2.2"
"""Loopback of the lab's host, as a machine sees it."""

USER = "san"
PASSWORD = "lab-bmc-password"  # noqa: S105 (the lab's own, which guards nothing)
"""At most 16 characters count (IPMI 2.0, section 13.28)."""

_START_LIMIT_S = 30.0  # Python's imports, on a busy host
# RMCP, no session: "Get Channel Authentication Capabilities" for this channel, administrator.
_QUESTION = bytes.fromhex("0600ff07 000000000000000000 09 2018c8 810038 8e04b5")


def name(host: str) -> str:
    """What the process of a host's BMC is called: its record and its log."""
    return f"{host}-bmc"


def start(layout: Layout, ports: Mapping[str, int]) -> None:
    """Start the BMC of each node; returns when they answer."""
    for host in BMCS:
        program = [sys.executable, "-m", "san.lab.bmc_server"]
        words = [*program, str(layout.directory), host, str(ports[host])]
        process.spawn(words, layout.processes / f"{name(host)}.json", layout.log(name(host)))
    for host in BMCS:
        _wait_answer(layout, host, ports[host])


def running(layout: Layout, host: str) -> bool:
    """Whether the process of a host's BMC is there; a cut one is, and is mute."""
    return process.running(layout.processes / f"{name(host)}.json") is not None


@tenacity.retry(
    stop=tenacity.stop_after_delay(_START_LIMIT_S),
    retry=tenacity.retry_if_exception_type(OSError),
    wait=tenacity.wait_fixed(0.1),
    reraise=True,
)
def _answer(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        probe.connect(("127.0.0.1", port))
        probe.send(_QUESTION)
        probe.recv(64)


def _wait_answer(layout: Layout, host: str, port: int) -> None:
    try:
        _answer(port)
    except OSError as error:
        log = layout.log(name(host))
        msg = f"the BMC of {host} doesn't answer on UDP port {port}: {error} (log: {log})"
        raise LabError(msg) from error
