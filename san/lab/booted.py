"""Machines that have booted once, kept beside their image: a later lab starts where they were.

What is kept is the snapshot `bare` inside each disk, and the keys that the machines know. It fits
only the very QEMU and hardware that made it, so both are in its name.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from san.lab import qemu
from san.lab.image import Image
from san.lab.layout import Layout
from san.lab.machines import MACHINES

_PARTS = ("keys", "disks")


def place(image: Image, accel: str, binary: str) -> Path:
    """Where the booted machines of this image, QEMU and hardware are kept."""
    said = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    digest = hashlib.sha256(said.encode())
    for machine in MACHINES.values():
        boot = qemu.Boot(binary, (0, 0), accel, Path("/kernel"), port=0)
        digest.update(repr(qemu.argv(machine, Layout(Path("/lab")), boot)).encode())
    if accel == "kvm":  # the host's processor is the machine's
        digest.update(_processor().encode())
    return image.directory.with_name(f"{image.directory.name}-{digest.hexdigest()[:8]}")


def take(where: Path, layout: Layout) -> bool:
    """Copy kept machines into a lab; False when there are none."""
    if not where.exists():
        return False
    for part in _PARTS:
        _copy(where / part, layout.directory / part)
    return True


def keep(layout: Layout, where: Path) -> None:
    """Keep a lab's paused machines, unless another lab was quicker."""
    staged = where.with_name(f".{where.name}.{layout.directory.stat().st_ino}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700, parents=True)
    try:
        for part in _PARTS:
            _copy(layout.directory / part, staged / part)
        if not where.exists():
            staged.rename(where)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a directory with holes and modes; in no time where the file system can share blocks."""
    shutil.rmtree(target, ignore_errors=True)
    copy = ["cp", "-a", "--reflink=auto", "--sparse=always", str(source), str(target)]
    subprocess.run(copy, check=True, stdin=subprocess.DEVNULL)


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    kept = ("model name", "flags", "microcode")
    return "\n".join(line for line in info if line.startswith(kept))
