"""The devices land in a file for root alone; ha.cf names our plugin and whom it resets."""

import attrs
import pytest
from reference import changed

from san.model import Secret, Stonith
from san.observe.ha_cf import parse_ha_cf
from san.render.files import node_files
from san.render.heartbeat import ha_cf

WORD = "geheim: $x 'y'"


def bmc(address, **parameters):
    return Stonith(
        "external/ipmi", {"ipaddr": address, **parameters}, {"passwd": Secret("BMC_PASSWORD")}
    )


@pytest.fixture
def fenced(cluster, monkeypatch):
    monkeypatch.setenv("BMC_PASSWORD", WORD)
    weasel, otter = cluster.nodes
    nodes = (
        attrs.evolve(weasel, stonith=(bmc("10.0.0.1"), Stonith("meatware"))),
        attrs.evolve(otter, stonith=(bmc("10.0.0.2", interface="lanplus -p 6230"),)),
    )
    return changed(cluster, nodes=nodes, accept_no_fencing=None)


def file_of(cluster, node, path):
    return next(file for file in node_files(cluster, node) if file.path == path)


def test_each_node_has_its_peers_devices_in_their_order(fenced):
    lines = file_of(fenced, "otter", "/etc/san/stonith.conf").content.splitlines()[2:]

    assert lines == [
        "node weasel",
        "device external/ipmi",
        "  passwd_method=env",
        "  ipaddr=10.0.0.1",
        f"  passwd={WORD}",
        "device meatware",
    ]
    assert "10.0.0.1" not in file_of(fenced, "weasel", "/etc/san/stonith.conf").content


def test_they_are_for_root_alone_and_the_secret_is_nowhere_else(fenced):
    for file in node_files(fenced, "otter"):
        if file.path == "/etc/san/stonith.conf":
            assert (file.mode, file.secret) == (0o600, True)
        else:
            assert WORD not in file.content, file.path


def test_a_way_to_pass_the_password_is_the_operators_choice(fenced):
    device = bmc("10.0.0.1", passwd_method="file")
    weasel = attrs.evolve(fenced.nodes[0], stonith=(device,))
    cluster = changed(fenced, nodes=(weasel, fenced.nodes[1]))

    assert "  passwd_method=file\n" in file_of(cluster, "otter", "/etc/san/stonith.conf").content


def test_heartbeat_finds_one_device_for_each_node(fenced):
    assert parse_ha_cf(ha_cf(fenced)).stonith_hosts == (
        ("otter", "external/san"),
        ("weasel", "external/san"),
    )
    assert "stonith_host otter external/san weasel\n" in ha_cf(fenced)


def test_the_plugin_comes_before_what_names_it(fenced):
    paths = [file.path for file in node_files(fenced, "otter")]
    order = ["/usr/lib/stonith/plugins/external/san", "/etc/san/stonith.conf", "/etc/ha.d/ha.cf"]

    assert [path for path in paths if path in order] == order


def test_without_devices_heartbeat_has_none(cluster):
    assert parse_ha_cf(ha_cf(cluster)).stonith_hosts == ()
