"""STONITH: what a run refuses before it relies on a device, and that no password is shown."""

import attrs
import pytest

from san.model import Secret, Stonith

CONFIG = "/etc/san/stonith.conf"
WORD = "secret-of-bmc-1"


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("BMC_PASSWORD", WORD)


def fenced(cluster, plugin="external/ipmi", **more):
    def of(node):
        parameters = {"ipaddr": f"bmc-{node.name}", "userid": "san", "interface": "lanplus"}
        device = Stonith(plugin, parameters | more, {"passwd": Secret("BMC_PASSWORD")})
        return attrs.evolve(node, stonith=(device,))

    nodes = tuple(map(of, cluster.nodes))
    return attrs.evolve(cluster, nodes=nodes, accept_no_fencing=None)


def test_a_new_cluster_has_its_devices_and_shows_no_password(bare):
    bare.declare(fenced(bare.cluster))
    ran = bare.run("-y", "-vvv", "--diff", "--debug")

    assert ran.returncode == 0, ran.output
    assert WORD not in ran.output
    assert [each for each in ran.log if WORD in each["command"]] == []
    for name, machine in bare.world.machines.items():
        if machine.node:
            content, mode = machine.files[CONFIG]
            assert mode == 0o600
            assert f"node {bare.cluster.peer(name).name}\n" in content
            assert {"cluster-glue", "ipmitool"} <= machine.packages

    again = bare.run("-y")
    assert again.returncode == 0, again.output
    assert again.commands == []
    assert not [each for each in again.log if "stonith -L" in each["command"]]


WRONG = (
    ({"plugin": "external/nothing"}, "STONITH plugin external/nothing is not there"),
    ({"plugin": "external/own"}, "external/own knows no parameter interface, ipaddr"),
)


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_device_that_a_node_can_not_use_is_refused_before_anything_is_changed(
    served, change, sentence
):
    served.change(
        weasel=lambda node: node.packages.add("cluster-glue"),
        otter=lambda node: node.packages.add("cluster-glue"),
    )
    served.declare(fenced(served.cluster, **change))
    before = served.world.lasting()
    for arguments in (("--dry",), ("-y",)):
        ran = served.run(*arguments)
        assert sentence in ran.refusal
        assert "nodes[" in ran.refusal
        assert ran.commands == []
    assert served.world.lasting() == before


def test_on_bare_nodes_it_is_refused_before_the_clusters_files(bare):
    bare.declare(fenced(bare.cluster, plugin="external/nothing"))
    ran = bare.run("-y")

    assert "STONITH plugin external/nothing is not there" in ran.refusal
    assert not any(CONFIG in machine.files for machine in bare.world.machines.values())
    assert not any(machine.heartbeat for machine in bare.world.machines.values())


def test_a_device_that_does_not_answer_is_said_at_the_end(bare):
    bare.declare(fenced(bare.cluster))
    assert bare.run("-y").returncode == 0
    bare.change(weasel=lambda node: setattr(node, "bmc", False))
    ran = bare.run("-y")

    assert "external/ipmi of weasel (device 1) says: no session" in ran.refusal
    assert ran.commands == []
