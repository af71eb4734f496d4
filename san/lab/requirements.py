"""The Debian packages that a lab needs on the machine it runs on."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from san.lab.errors import LabError

TOOLS: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "vde_switch": "vde-switch",
    "wirefilter": "vde-wirefilter",
    "mke2fs": "e2fsprogs",
    "grub-mkimage": "grub-common",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}

GRUB = Path("/usr/lib/grub/i386-pc")
GRUB_AS_KERNEL = GRUB / "lnxboot.img"  # the start that makes GRUB look like a Linux kernel

FILES: Mapping[Path, str] = {GRUB_AS_KERNEL: "grub-pc-bin"}

REQUIRED_PACKAGES = tuple(sorted({*TOOLS.values(), *FILES.values()}))

# mke2fs is in sbin, which is not on every user's PATH
_SEARCH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def find(tool: str) -> str | None:
    """Path of `tool` on this machine, or None."""
    return shutil.which(tool) or shutil.which(tool, path=_SEARCH)


def missing() -> list[str]:
    """Name the packages whose tools and files are not there."""
    # mmdebstrap maps users where it isn't root
    tools = TOOLS if os.geteuid() == 0 else {**TOOLS, "newuidmap": "uidmap"}
    absent = {package for tool, package in tools.items() if find(tool) is None}
    absent |= {package for path, package in FILES.items() if not path.exists()}
    return sorted(absent)


def check() -> None:
    """Refuse to go on without a package, and say how to get it."""
    packages = missing()
    if packages:
        names = " ".join(packages)
        msg = f"this machine misses Debian packages for the lab: apt-get install {names}"
        raise LabError(msg)
