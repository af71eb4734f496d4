"""Debian's dm-writeboost as a module of the lab's cluster."""

from functools import cache

from san.inventory import load
from san.model import KernelModule
from tests.lab.cluster import ROOT, deploy

INVENTORY = "docs/examples/modules.py"
KO = "/lib/modules/$(uname -r)/updates/san/dm-writeboost.ko"
LOADS = "modprobe dm-writeboost && grep -q ^dm_writeboost /proc/modules"


@cache
def module() -> KernelModule:
    """The inventory's module; reading it takes secrets, which only a running test is sure of."""
    (found,) = load(ROOT / INVENTORY).clusters[0].modules
    return found


def broken():
    """The command after which the source compiles no more."""
    return f"echo '#error not this kernel' >> {_file()}"


def mended():
    """The command that takes `broken` back."""
    return f"sed -i '$d' {_file()}"


def _file():
    return f"{module().source.path}/dm-writeboost-target.c"


def log(lab, node):
    return lab.ssh(node, "cat /var/log/san/dm-writeboost-*.log 2>/dev/null || :").stdout


def with_module(lab):
    """Deploy the module's inventory; its source comes with a package for DKMS."""
    for node in ("weasel", "otter"):
        lab.ssh(node, "dpkg-deb -x /var/cache/apt/archives/dm-writeboost-dkms_*.deb /")
    return deploy(inventory=INVENTORY)
