"""The hardware that a machine's memory was saved on, as a digest: it fits no other."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

from san.lab import grub, qemu
from san.lab.layout import Layout
from san.lab.machines import MACHINES


def digest(accel: str, binary: str) -> str:
    """Eight hex digits over QEMU's build, the machines it is told to make, and what runs them.

    The kernel's arguments count: they are in the memory of a machine that has booted.
    """
    known = hashlib.sha256(build(binary).encode() + grub.CONFIG.encode())
    for machine in MACHINES.values():
        boot = qemu.Boot(binary, accel, port=0)
        known.update(repr(qemu.argv(machine, Layout(Path("/lab")), boot)).encode())
    if accel == "kvm":  # the host's processor is the machine's
        known.update(_processor().encode())
    return known.hexdigest()[:8]


@cache
def build(binary: str) -> str:
    """What QEMU says of its version and build."""
    done = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True)
    return done.stdout


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    kept = ("model name", "flags", "microcode")
    return "\n".join(line for line in info if line.startswith(kept))
