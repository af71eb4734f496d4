"""Debian's dm-writeboost as a module of the lab's cluster."""

from san.inventory import load
from tests.lab.cluster import ROOT, deploy

INVENTORY = "docs/examples/modules.py"
(MODULE,) = load(ROOT / INVENTORY).clusters[0].modules
SOURCE = MODULE.source.path
KO = "/lib/modules/$(uname -r)/updates/san/dm-writeboost.ko"
BROKEN = f"echo '#error not this kernel' >> {SOURCE}/dm-writeboost-target.c"
MENDED = f"sed -i '$d' {SOURCE}/dm-writeboost-target.c"
LOADS = "modprobe dm-writeboost && grep -q ^dm_writeboost /proc/modules"


def log(lab, node):
    return lab.ssh(node, "cat /var/log/san/dm-writeboost-*.log 2>/dev/null || :").stdout


def with_module(lab):
    """Deploy the module's inventory; its source comes with a package for DKMS."""
    for node in ("weasel", "otter"):
        lab.ssh(node, "dpkg-deb -x /var/cache/apt/archives/dm-writeboost-dkms_*.deb /")
    return deploy(inventory=INVENTORY)
