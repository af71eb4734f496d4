"""What an image is made of, and the hash that names it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).resolve().parent
TREE = HERE / "tree"  # files as they land in the image
SCRIPT = HERE / "build-image"

SIZE = "6G"  # sparse; room for a kernel's headers and a module build

# A Debian server as it leaves the installer, less what nobody looks at in a lab. python3 is on
# every such server; without it, its byte compilation would be minutes of each first deploy.
BASE = (
    "systemd-sysv",
    "udev",
    "openssh-server",
    "linux-image-cloud-amd64",
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
    "iptables",
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


@frozen
class Recipe:
    """The inputs of an image; equal inputs make equal names."""

    suite: str
    sources: Sequence[str]
    base: Sequence[str] = BASE
    cached: Sequence[str] = CACHED
    size: str = SIZE
    tree: Path = TREE
    script: Path = SCRIPT

    @property
    def hash(self) -> str:
        """Sixteen hex digits over every input, the contents of files included."""
        digest = hashlib.sha256()
        for part in (self.suite, self.sources, self.base, self.cached, self.size):
            digest.update(repr(part).encode())
        for path in (self.script, *sorted(self.tree.rglob("*"))):
            if path.is_file():
                digest.update(f"{path.name} {path.stat().st_mode:o}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:16]
