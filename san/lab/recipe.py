"""What an image is made of, and the hash that names it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from san.lab.sources import BACKPORTS

HERE = Path(__file__).resolve().parent
TREE = HERE / "tree"  # files as they land in the image
SCRIPT = HERE / "build-image"

SIZE = "6G"  # sparse; room for three kernels, their headers and a module build

KERNEL = "linux-image-cloud-amd64"
HEADERS = "linux-headers-cloud-amd64"

# A Debian server as it leaves the installer, less what nobody looks at in a lab. python3 is on
# every such server; without it, its byte compilation would be minutes of each first deploy.
BASE = (
    "systemd-sysv",
    "udev",
    "dbus",
    "openssh-server",
    "initramfs-tools",
    "iproute2",
    "e2fsprogs",
    "procps",
    "netbase",
    "kmod",
    "debian-archive-keyring",
    "python3",
)

# Not installed: kept in the image's package cache, so that a deploy installs them offline.
CACHED = (
    # the nodes
    "heartbeat",
    "cluster-glue",
    "resource-agents",
    "drbd-utils",
    "lvm2",
    "tgt",
    "net-tools",
    "ipmitool",
    "iptables",
    "mdadm",
    "nftables",
    # the client
    "open-iscsi",
    "multipath-tools",
    "lsscsi",
    "sg3-utils",
    # both
    "ethtool",
    "iputils-arping",
    "iputils-ping",
    "psmisc",
    "thin-provisioning-tools",
)

# Kept in the cache too: what builds a module for a kernel, beside that kernel's headers.
MODULE_BUILD = (
    "dkms",
    "dm-writeboost-dkms",
    "gcc",
    "libc6-dev",
    "libssl-dev",
    "make",
    "patch",
    "xz-utils",
    "zstd",
)

# And what `san bench failover` sets up in place of Heartbeat.
PACEMAKER = ("corosync", "pacemaker", "pacemaker-cli-utils")


@frozen
class Recipe:
    """The inputs of an image; equal inputs make equal names."""

    suite: str
    sources: Sequence[str]
    base: Sequence[str] = BASE
    cached: Sequence[str] = CACHED
    module_build: Sequence[str] = MODULE_BUILD
    pacemaker: Sequence[str] = PACEMAKER
    size: str = SIZE
    tree: Path = TREE
    script: Path = SCRIPT

    @property
    def installed(self) -> Sequence[str]:
        """What mmdebstrap installs: with the main archive's kernel, although security's is newer.

        So a machine has a real upgrade of its kernel before it; the script sees to that where both
        are the same.
        """
        return (*self.base, f"{KERNEL}/{self.suite}")

    @property
    def downloads(self) -> Sequence[str]:
        """Arguments of `apt-get install --download-only`, one call each, beside `cached`."""
        kernels = [f"{KERNEL} {HEADERS}"]
        if self.suite in BACKPORTS:
            kernels.append(f"--target-release={self.suite}-backports {KERNEL} {HEADERS}")
        others = (self.module_build, self.pacemaker)
        return (*(f"--no-install-recommends {' '.join(each)}" for each in others), *kernels)

    @property
    def hash(self) -> str:
        """Sixteen hex digits over every input, the contents of files included."""
        digest = hashlib.sha256()
        parts = (self.suite, self.sources, self.installed, self.cached, self.downloads, self.size)
        for part in parts:
            digest.update(repr(part).encode())
        for path in (self.script, *sorted(self.tree.rglob("*"))):
            if path.is_file():
                digest.update(f"{path.name} {path.stat().st_mode:o}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:16]
