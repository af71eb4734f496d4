"""The Debian packages that a lab needs on the machine it runs on."""

import os
import shutil
from collections.abc import Mapping

from san.lab.errors import LabError

TOOLS: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "vde_switch": "vde-switch",
    "wirefilter": "vde-wirefilter",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}

REQUIRED_PACKAGES = tuple(sorted(set(TOOLS.values())))

# mke2fs is in sbin, which is not on every user's PATH
_SEARCH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def find(tool: str) -> str | None:
    """Path of `tool` on this machine, or None."""
    return shutil.which(tool) or shutil.which(tool, path=_SEARCH)


def missing() -> list[str]:
    """Name the packages whose tools are not there."""
    # mmdebstrap maps users where it isn't root
    tools = TOOLS if os.geteuid() == 0 else {**TOOLS, "newuidmap": "uidmap"}
    return sorted({package for tool, package in tools.items() if find(tool) is None})


def check() -> None:
    """Refuse to go on without a package, and say how to get it."""
    packages = missing()
    if packages:
        names = " ".join(packages)
        msg = f"this machine misses Debian packages for the lab: apt-get install {names}"
        raise LabError(msg)
