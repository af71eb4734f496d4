"""The shipped description of SCST, compiled for a real kernel where its source is at hand.

SAN_SCST_TREE names a directory with SCST's source; a kernel's headers, gcc and make have to be
installed (`apt-get install linux-headers-cloud-amd64 gcc make libc6-dev`).
"""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest
from kmod_node import Node

from san.model import Archive
from san.modules import scst

TREE = os.environ.get("SAN_SCST_TREE")
HEADERS = sorted(Path("/lib/modules").glob("*/build/Makefile"))

pytestmark = [
    pytest.mark.skipif(
        not TREE, reason="SAN_SCST_TREE doesn't name a directory with SCST's source"
    ),
    pytest.mark.skipif(not HEADERS, reason="no kernel's headers are installed to compile for"),
    pytest.mark.timeout(1800),
]


def test_it_compiles_whole_and_lands_where_modprobe_looks(tmp_path):
    release = HEADERS[-1].parts[3]
    node = Node(tmp_path, kernels=())
    node.add_image(release)
    (node.root / f"lib/modules/{release}/build").symlink_to(HEADERS[-1].parent.resolve())
    packed = tmp_path / "scst.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(TREE, arcname="scst-3.11")
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    node.keep(sha256, packed.read_bytes())
    node.describe_as(scst(Archive("scst-3.11.tar.gz", sha256), "3.11"))

    done = node.call("build")

    assert done.returncode == 0, done.stderr + node.log("scst", release)
    build = node.state.builds["scst", release]
    assert {Path(file.path).name for file in build.files} == {
        "scst.ko",
        "scst_vdisk.ko",
        "iscsi-scst.ko",
    }
    assert all(file.vermagic.startswith(f"{release} ") for file in build.files)
    for tool in ("iscsi-scstd", "iscsi-scst-adm"):
        assert (node.root / "usr/local/sbin" / tool).stat().st_mode & 0o111
