"""The shipped inventory with a kernel module of Debian's: its source is a package's, for DKMS.

`pyinfra docs/examples/modules.py deploy.py`, from the project's directory; the lab's tests and
`make bench-kmod` use it too.
"""

import os
from pathlib import Path

import attrs

from san.inventory import load
from san.lab.sources import default_suite
from san.model import Directory, KernelModule, Kernels, Patch, Site

os.environ.setdefault("SAN_SECRETS_FILE", "secrets.env")  # the shipped one's, not beside this file

shipped = load(Path("inventory.py"))

BOOKWORM = KernelModule(
    "dm-writeboost",
    version="2.2.17",
    source=Directory("/usr/src/dm-writeboost-2.2.17"),
    files=("dm-writeboost.ko",),
    make=(("KERNEL_TREE={build}", "all"),),
    patches=(
        Patch(
            "docs/examples/dm-writeboost-6.9.patch",
            "b6d3f9c112a4ded60b043fcb4f04df6726b4bf3e128a9ce61e52089b60e16fbf",
            Kernels(first="6.9"),
        ),
    ),
    load=("dm-writeboost",),
)
TRIXIE = attrs.evolve(
    BOOKWORM, version="2.2.18", source=Directory("/usr/src/dm-writeboost-2.2.18"), patches=()
)
WRITEBOOST = {"bookworm": BOOKWORM, "trixie": TRIXIE}[default_suite()]

site = Site(tuple(attrs.evolve(cluster, modules=(WRITEBOOST,)) for cluster in shipped.clusters))

nodes = site.nodes()
clients = site.initiators()
