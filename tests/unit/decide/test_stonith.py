"""Devices that a node can't use are refused by path; those that don't answer are named."""

import attrs
import pytest

from san.decide.refusal import Refusal
from san.decide.stonith import mute, plugins, usable
from san.model import Secret, Stonith
from san.observe.stonith import Answer, Parameters, StonithState

IPMI = Parameters(
    named=("hostname", "ipaddr", "userid", "passwd", "interface"),
    taken=("ipaddr", "passwd_method"),
)
FOUND = StonithState(
    installed=True, plugins={"external/ipmi": IPMI, "meatware": Parameters(required=("hostlist",))}
)
DEVICE = Stonith(
    "external/ipmi",
    {"ipaddr": "10.0.0.1", "userid": "san", "interface": "lanplus", "passwd_method": "env"},
    {"passwd": Secret("BMC_PASSWORD")},
)


def fenced(cluster, *devices):
    weasel, otter = cluster.nodes
    return attrs.evolve(cluster, nodes=(attrs.evolve(weasel, stonith=devices), otter))


def test_what_the_plugin_knows_and_needs(cluster):
    usable(fenced(cluster, DEVICE, Stonith("meatware")), "otter", FOUND)


def test_a_node_is_asked_for_its_peers_plugins(cluster):
    cluster = fenced(cluster, DEVICE, Stonith("meatware"), DEVICE)

    assert plugins(cluster, "otter") == ("external/ipmi", "meatware")
    assert plugins(cluster, "weasel") == ()


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (Stonith("external/nothing"), "external/nothing is not there"),
        (
            attrs.evolve(DEVICE, parameters={**DEVICE.parameters, "ipadr": "x"}),
            "knows no parameter ipadr; it has hostname, ipaddr",
        ),
        (
            attrs.evolve(DEVICE, secrets={**DEVICE.secrets, "key": Secret("KEY")}),
            "knows no parameter key",
        ),
        (
            attrs.evolve(DEVICE, parameters={"ipaddr": "10.0.0.1"}),
            "needs userid, interface too",
        ),
    ],
)
def test_what_is_refused(cluster, device, words):
    with pytest.raises(Refusal, match=words) as refusal:
        usable(fenced(cluster, Stonith("meatware"), device), "otter", FOUND)
    assert str(refusal.value).startswith("nodes[0].stonith[1]: ")


def test_devices_that_do_not_answer():
    answers = (
        Answer("weasel", 1, "external/ipmi", ok=False, said="no session"),
        Answer("weasel", 2, "meatware", ok=True, said=""),
    )
    assert mute(answers) == "external/ipmi of weasel (device 1) says: no session"
    assert mute(answers[1:]) is None
