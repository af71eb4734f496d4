"""What cluster-glue says of plugins and devices. Captured on Debian 12."""

import pytest

from san.observe.sections import UnreadableError
from san.observe.stonith import Answer, Parameters, parse, parse_devices, shell

PLUGINS = """\
[san:begin stonith]
plugin external/ipmi
named hostname
named ipaddr
takes hostname
takes passwd_method
plugin external/rackpdu
named hostlist
named outlet
needs hostlist
takes outlet
absent external/nothing

[san:end stonith 0]
"""
DEVICES = """\
[san:begin devices]
weasel\t1\texternal/ipmi\tfailed\terror executing ipmitool: Error: Unable to establish session
weasel\t2\tmeatware\tok\t

[san:end devices 1]
"""


def test_plugins():
    found = parse(PLUGINS.splitlines())

    assert found.installed
    assert found.plugins == {
        "external/ipmi": Parameters(("hostname", "ipaddr"), (), ("hostname", "passwd_method")),
        "external/rackpdu": Parameters(("hostlist", "outlet"), ("hostlist",), ("outlet",)),
        "external/nothing": None,
    }
    ipmi, rackpdu = found.plugins["external/ipmi"], found.plugins["external/rackpdu"]
    assert ipmi.known == ("hostname", "ipaddr", "passwd_method")
    assert ipmi.needed == ("hostname", "ipaddr"), "its description calls none required"
    assert rackpdu.needed == ("hostlist",)


def test_without_cluster_glue():
    assert not parse(["[san:begin stonith]", "", "[san:end stonith 127]"]).installed


@pytest.mark.parametrize("status", [1, 124])
def test_a_tool_that_fails_is_not_an_empty_answer(status):
    with pytest.raises(UnreadableError, match=f"status {status}"):
        parse(["[san:begin stonith]", f"[san:end stonith {status}]"])
    with pytest.raises(UnreadableError, match="lacks its part"):
        parse([])


def test_devices():
    said = "error executing ipmitool: Error: Unable to establish session"
    assert parse_devices(DEVICES.splitlines()) == (
        Answer("weasel", 1, "external/ipmi", ok=False, said=said),
        Answer("weasel", 2, "meatware", ok=True, said=""),
    )


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("sh: 1: exec: /usr/lib/x: not found", 127, "not found"),
        ("external/san: /etc/san/stonith.conf names no device", 1, "names no device"),
        ("", 124, "status 124"),
    ],
)
def test_devices_that_can_not_be_asked(body, status, words):
    with pytest.raises(UnreadableError, match=words):
        parse_devices(["[san:begin devices]", body, f"[san:end devices {status}]"])


def test_a_plugins_name_is_data():
    assert "'external/a; reboot'" in shell(("external/a; reboot",)).replace("'\"'\"'", "'")
