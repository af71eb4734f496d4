"""A client's files."""

import attrs
from reference import changed

from san.model import Chap, Lun, Secret, Target, Volume, VolumeGroup
from san.render.initiator import iscsid_conf, node_record, node_record_path


def settings(text):
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    return dict(pairs)


def test_a_record_for_each_target_and_portal(cluster):
    (target,), portal = cluster.targets, cluster.portals[1]
    assert node_record_path("/etc/iscsi/nodes", target, portal) == (
        "/etc/iscsi/nodes/iqn.2009-02.com.example:test/192.168.2.1,3260,1/default"
    )
    found = settings(node_record(target, portal, cluster.timing))
    assert found["node.conn[0].address"] == "192.168.2.1"
    assert found["node.session.auth.password"] == "golden-chap-0001"


def test_no_chap(cluster):
    target = attrs.evolve(cluster.targets[0], chap=None)
    found = settings(node_record(target, cluster.portals[0], cluster.timing))
    assert found["node.session.auth.authmethod"] == "None"
    assert "node.session.auth.username" not in found


def test_targets_with_different_users(cluster):
    """iscsid.conf can't hold two; each target's own record does."""
    group = VolumeGroup(
        "storage", resources=("r0",), volumes=(Volume("test", "64M"), Volume("two", "64M"))
    )
    two = Target(
        "iqn.2009-02.com.example:two",
        luns=(Lun(1, "storage/two"),),
        chap=Chap("other", Secret("HEARTBEAT_SECRET")),
    )
    both = changed(cluster, volume_groups=(group,), targets=(*cluster.targets, two))
    assert settings(iscsid_conf(both))["node.session.auth.authmethod"] == "None"
    found = settings(node_record(two, both.portals[0], both.timing))
    assert found["node.session.auth.username"] == "other"


def test_records_and_defaults_agree(cluster):
    """What iscsiadm discovers by hand behaves as what is deployed."""
    record = settings(node_record(cluster.targets[0], cluster.portals[0], cluster.timing))
    defaults = settings(iscsid_conf(cluster))
    common = record.keys() & defaults.keys()
    assert {key: record[key] for key in common} == {key: defaults[key] for key in common}
    assert "node.session.timeo.replacement_timeout" in common
