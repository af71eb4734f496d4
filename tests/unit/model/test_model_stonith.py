"""Which STONITH devices a cluster may declare, and what it says without any."""

import pytest
from model_tree import problems, put

from san.model import Secret, Stonith

PASSWD = {"passwd": Secret("BMC_PASSWORD")}


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("BMC_PASSWORD", "of the BMC: $#!")


def bmc(address, **parameters):
    return Stonith("external/ipmi", {"ipaddr": address, "userid": "san", **parameters}, PASSWD)


@pytest.fixture
def fenced(cluster):
    """Each node has its own BMC, and a person after it."""
    cluster = put(cluster, "accept_no_fencing", None)
    cluster = put(cluster, "nodes[0].stonith", (bmc("10.0.0.1"), Stonith("meatware")))
    return put(cluster, "nodes[1].stonith", (bmc("10.0.0.2"), Stonith("meatware")))


def says(cluster, at, words):
    found = problems(cluster)
    assert any(line.startswith(f"{at}: ") and words in line for line in found), found


def test_a_bmc_for_each_node_and_a_person_for_both(fenced):
    assert problems(fenced) == []


def test_without_devices_it_needs_a_reason(cluster):
    assert problems(cluster) == []
    says(put(cluster, "accept_no_fencing", None), "nodes", "accept_no_fencing='the reason'")


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", True])
def test_a_reason_is_a_line(cluster, reason):
    says(put(cluster, "accept_no_fencing", reason), "accept_no_fencing", "is not a reason")


def test_a_reason_beside_devices_is_one_of_the_two_too_many(fenced):
    says(put(fenced, "accept_no_fencing", "none"), "accept_no_fencing", "remove the one")


@pytest.mark.parametrize("index", [0, 1])
def test_one_node_alone(fenced, index):
    name = ("weasel", "otter")[index]
    says(
        put(fenced, f"nodes[{index}].stonith", ()),
        f"nodes[{index}].stonith",
        f"{name} has no device",
    )


def test_one_device_for_both(fenced):
    same = put(fenced, "nodes[1].stonith", (bmc("10.0.0.9"), bmc("10.0.0.1", hostname="otter")))
    says(same, "nodes[1].stonith[1]", "it is weasel's device too")


def test_one_device_twice(fenced):
    says(
        put(fenced, "nodes[0].stonith", (bmc("10.0.0.1"), bmc("10.0.0.1"))),
        "nodes[0].stonith[1]",
        "there twice",
    )


def test_a_power_switch_is_told_apart_by_its_outlets(fenced):
    for index, name in enumerate(("weasel", "otter")):
        switch = Stonith("external/rackpdu", {"pduip": "10.0.0.5", "hostlist": name})
        fenced = put(fenced, f"nodes[{index}].stonith", (switch,))

    assert problems(fenced) == []


@pytest.mark.parametrize(
    ("field", "value", "at", "words"),
    [
        ("plugin", "External/ipmi", "plugin", "as `stonith -L` prints it"),
        ("plugin", "external/ipmi; reboot", "plugin", "as `stonith -L` prints it"),
        ("plugin", "", "plugin", "as `stonith -L` prints it"),
        ("plugin", "null", "plugin", "does nothing"),
        ("plugin", "suicide", "plugin", "the node that calls it"),
        ("plugin", "external/san", "plugin", "name one of them"),
        ("parameters", [], "parameters", "of type list"),
        ("parameters", {"ip addr": "x"}, "parameters['ip addr']", "not a parameter's name"),
        ("parameters", {"PATH": "/tmp"}, "parameters['PATH']", "other programs live by"),  # noqa: S108
        ("parameters", {"LD_PRELOAD": "x"}, "parameters['LD_PRELOAD']", "other programs"),
        ("parameters", {"ipaddr": "two\nlines"}, "parameters['ipaddr']", "printable"),
        ("parameters", {"ipaddr": " x"}, "parameters['ipaddr']", "its ends"),
        ("parameters", {"ipaddr": 7}, "parameters['ipaddr']", "printable"),
        ("parameters", {"passwd": "x"}, "secrets['passwd']", "keep one"),
        ("parameters", {"PERL5LIB": "x"}, "parameters['PERL5LIB']", "other programs"),
        ("parameters", {"ilo_password": "x"}, "parameters['ilo_password']", "for all to read"),
        ("parameters", {"passwd_method": "param"}, "parameters['passwd_method']", "an argument"),
        ("parameters", {"ipadr": "x"}, "parameters['ipadr']", "no such parameter; it has hostname"),
        ("secrets", {"community": Secret("BMC_PASSWORD")}, "secrets['community']", "no such"),
        ("secrets", {"passwd": "geheim"}, "secrets['passwd']", "not a Secret"),
        ("secrets", {"passwd": Secret("NOWHERE")}, "secrets['passwd'].name", "NOWHERE"),
    ],
)
def test_what_a_device_refuses(fenced, field, value, at, words):
    says(put(fenced, f"nodes[0].stonith[0].{field}", value), f"nodes[0].stonith[0].{at}", words)


def test_a_secret_that_no_line_can_carry_is_named_and_not_shown(fenced, monkeypatch):
    monkeypatch.setenv("BMC_PASSWORD", "geheim\nzwei")

    says(fenced, "nodes[0].stonith[0].secrets['passwd']", "BMC_PASSWORD is not a text")
    assert "geheim" not in "".join(problems(fenced))


def test_its_json_names_the_secret(fenced):
    assert fenced.to_json()["nodes"][0]["stonith"][0] == {
        "plugin": "external/ipmi",
        "parameters": {"ipaddr": "10.0.0.1", "userid": "san"},
        "secrets": {"passwd": {"name": "BMC_PASSWORD"}},
    }
    assert "of the BMC" not in repr(fenced)
