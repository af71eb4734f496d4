"""What the golden files show: the shipped inventory, and the original guide's choices.

`python tests/unit/render/reference.py` writes the golden files anew; read the difference.
"""

import os
import shutil
from pathlib import Path

import attrs
import pytest

from san.inventory import load
from san.model import Archive, Everyone, Lun, Portal, Site, Target
from san.modules import iet_1_4_20_3
from san.render.files import client_files, node_files

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).with_name("golden")
AS_THEY_STAND = (
    *("/iscsi-target", "/portal", "/volume-group", "/drbd-primary", "/external/san"),
    *("/ha.d/harc", "/heartbeat/ResourceManager"),
    *("/sbin/san-fence", "/sbin/san-kmod", "/sbin/san-watch", "/sbin/san-verify", ".pm"),
)
SECRETS = {
    "CHAP_SECRET": "golden-chap-0001",
    "DRBD_SECRET": "golden-drbd-0001",
    "HEARTBEAT_SECRET": "golden-heartbeat",
}


def reference():
    """The cluster of inventory.py."""
    return load(ROOT / "inventory.py").clusters[0]


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    """What the inventory names; for a conftest to import."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cluster(secrets):  # noqa: ARG001 (the inventory names them)
    """The cluster of inventory.py; for a conftest to import."""
    return reference()


def changed(cluster, **parts):
    """A cluster with other parts, checked as an inventory is."""
    return Site((attrs.evolve(cluster, **parts),)).clusters[0]


def guide():
    """The guide's cluster: IET, IPaddr, LVM, no CHAP, and an ifupdown of its time.

    No inventory declares it yet: IET is rendered, and not deployed.
    """
    name = "iqn.2009-02.com.example:test"
    test = Target(name, luns=(Lun(0, "storage/test"),), alias="test", acl=Everyone())
    return attrs.evolve(
        reference(),
        targets=(test,),
        portals=(Portal("192.168.1.1/24"), Portal("192.168.2.1/24")),
        target_software="iet",
        modules=(iet_1_4_20_3(Archive("iscsitarget-1.4.20.3.tar.gz", "0" * 64)),),
        address_agent="IPaddr",
        volume_agent="LVM",
        promotion_agent="drbddisk",
        portals_last=False,
    )


def hosts():
    """The files of each host that is shown."""
    return {
        "weasel": node_files(reference(), "weasel"),
        "badger": client_files(reference(), "badger"),
        "guide-weasel": node_files(guide(), "weasel", "ifupdown"),
    }


def is_golden(file):
    """Whether it is rendered; most programs are their templates as they stand."""
    return not file.path.endswith(AS_THEY_STAND)


def write():
    """Write them."""
    os.environ.update(SECRETS)
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for name, files in hosts().items():
        for file in filter(is_golden, files):
            place = GOLDEN / name / file.path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(file.content, encoding="utf-8")


if __name__ == "__main__":
    write()
