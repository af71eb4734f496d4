"""Machines that have booted once, kept beside their image: a later lab starts where they were.

What is kept is the snapshot `bare` inside each disk, and the keys that the machines know. It fits
only the very hardware that made it, so that is in its name.
"""

import shutil
import subprocess
from pathlib import Path

from san.lab.image import Image
from san.lab.layout import Layout

_PARTS = ("keys", "disks")


def place(image: Image, hardware: str) -> Path:
    """Where the booted machines of this image and hardware are kept."""
    return image.directory.with_name(f"{image.directory.name}-{hardware}")


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
