"""The arp_filter resource script, in a network of its own."""

import pytest
from private_machine import rendered

INTERFACES = ("eth2", "eth3")
PAIR = ("ip", "link", "add", "eth2", "type", "veth", "peer", "name", "eth3")


@pytest.fixture
def script(machine, cluster):
    """The rendered script, and the interfaces it names."""
    made = machine.run(*PAIR, check=False)
    if made.returncode:
        pytest.skip(f"this kernel makes no veth interfaces: {made.stderr.strip()}")
    machine.script.write_text(rendered(cluster, "/etc/ha.d/resource.d/arp_filter"))
    if machine.run("sh", "-c", f"echo 0 > {setting('all')}", check=False).returncode:
        pytest.skip("/proc/sys is read-only in this container: run make test on a machine")
    yield machine
    machine.run("ip", "link", "del", "eth2", check=False)


def setting(interface):
    return f"/proc/sys/net/ipv4/conf/{interface}/arp_filter"


def values(machine):
    return [machine.run("cat", setting(name)).stdout.strip() for name in ("all", *INTERFACES)]


def test_life(script):
    assert script.call("status").stdout == "stopped\n"
    assert script.call("start").returncode == 0
    assert values(script) == ["1", "1", "1"]
    assert script.call("status").stdout == "running\n"
    assert script.call("start").returncode == 0
    assert script.call("stop").returncode == 0
    assert script.call("status").stdout == "stopped\n"
    assert script.call("stop").returncode == 0


def test_stop_leaves_the_setting(script):
    """The standby has it from its boot on; Heartbeat must find it neither running nor gone."""
    script.call("start")
    script.call("stop")
    assert values(script) == ["1", "1", "1"]


def test_a_missing_interface_fails(script):
    script.run("ip", "link", "del", "eth2")
    assert script.call("start").returncode != 0
    assert script.call("status").stdout == "stopped\n"


def test_wrong_call(script):
    assert script.call("reload").returncode == 2
