"""The other ways to set the cluster up: their names, and what lands on the hosts."""

import base64
import io
import tarfile
import xml.etree.ElementTree as ET

from san import rivals
from san.lab.snapshots import _NAME
from san.rivals import BY_HAND, COMMON, PACEMAKER


def test_a_rival_is_named_after_what_it_is_made_of():
    assert BY_HAND.snapshot.startswith("by-hand-")
    assert _NAME.fullmatch(BY_HAND.snapshot)
    assert BY_HAND.snapshot != rivals.Rival("by_hand", (*BY_HAND.packages, "vim")).snapshot


def test_a_tree_lands_with_its_paths_and_modes():
    packed = io.BytesIO(base64.b64decode(rivals._archive(BY_HAND.directory / "node")))
    with tarfile.open(fileobj=packed) as archive:
        modes = {member.name: member.mode & 0o111 for member in archive}

    assert modes["etc/ha.d/resource.d/arp_filter"]
    assert not modes["etc/ha.d/haresources"]
    assert "etc" not in modes  # a directory of the host keeps its mode


def test_every_resource_of_pacemaker_is_told_of_once():
    root = ET.parse(PACEMAKER.directory / "node/root/cib.xml").getroot()  # noqa: S314 (our own file)
    ids = [element.get("id") for element in root.iter() if element.get("id")]

    assert len(ids) == len(set(ids))


def test_pacemaker_gives_clients_the_addresses_last():
    group = ET.parse(PACEMAKER.directory / "node/root/cib.xml").find(".//group")  # noqa: S314 (our own file)

    names = [primitive.get("id") for primitive in group]
    assert names == ["vg", "target", "lun", "address-a", "address-b"]


def test_both_ways_serve_the_same_target_to_the_same_client():
    iqn = "iqn.2009-02.com.example:test"
    for name in ("by_hand/node/etc/tgt/conf.d/test.conf", "pacemaker/node/root/cib.xml"):
        assert iqn in (COMMON.parent / name).read_text()
