"""What cluster-glue says of plugins and devices. Captured on Debian 12."""

import pytest

from san.observe.sections import UnreadableError
from san.observe.stonith import Answer, Parameters, parse, parse_devices, shell

PLUGINS = """\
[san:begin stonith]
plugin external/ipmi
needs hostname
needs ipaddr
needs userid
needs passwd
needs interface
takes hostname
takes ipaddr
takes passwd_method
plugin meatware
needs hostlist
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
        "external/ipmi": Parameters(
            ("hostname", "ipaddr", "userid", "passwd", "interface"),
            ("hostname", "ipaddr", "passwd_method"),
        ),
        "meatware": Parameters(("hostlist",), ()),
        "external/nothing": None,
    }
    assert found.plugins["external/ipmi"].knows("passwd_method")
    assert not found.plugins["external/ipmi"].knows("password")


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
