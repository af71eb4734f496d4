"""ha.cf and authkeys."""

import attrs
import pytest
from reference import changed

from san.model import Bcast, Mcast, Ping, Serial, Ucast
from san.render.heartbeat import authkeys, ha_cf


def with_heartbeat(cluster, **parts):
    return changed(cluster, heartbeat=attrs.evolve(cluster.heartbeat, **parts))


@pytest.mark.parametrize(
    ("link", "lines"),
    [
        (Bcast("replication"), ["bcast eth1"]),
        (Ucast("replication"), ["ucast eth1 10.10.10.1", "ucast eth1 10.10.10.2"]),
        (Mcast("replication", "239.0.0.42", ttl=2), ["mcast eth1 239.0.0.42 694 2 0"]),
        (Serial("/dev/ttyS0", baud=115200), ["baud 115200", "serial /dev/ttyS0"]),
        (Ping("10.10.10.254"), ["ping 10.10.10.254"]),
    ],
)
def test_links(cluster, link, lines):
    others = [each for each in cluster.heartbeat.links if each != link]
    if isinstance(link, Serial):  # one speed for all
        others = [each for each in others if not isinstance(each, Serial)]
    links = (link, *others)
    found = ha_cf(with_heartbeat(cluster, links=links)).splitlines()
    start = found.index("udpport 694") + 1
    assert found[start : start + len(lines)] == lines


def test_the_speed_of_several_cables_stands_once(cluster):
    """`Baudrate multiply specified`, says Heartbeat, and doesn't start."""
    cables = (Serial("/dev/ttyS0", baud=38400), Serial("/dev/ttyS1", baud=38400))
    lines = ha_cf(with_heartbeat(cluster, links=cables)).splitlines()
    start = lines.index("baud 38400")
    assert lines[start + 1 : start + 3] == ["serial /dev/ttyS0", "serial /dev/ttyS1"]
    assert lines.count("baud 38400") == 1


@pytest.mark.parametrize(
    ("seconds", "written"), [(1, "1"), (0.5, "500ms"), (1.25, "1250ms"), (2.0, "2")]
)
def test_times(cluster, seconds, written):
    assert f"\nkeepalive {written}\n" in ha_cf(with_heartbeat(cluster, keepalive=seconds))


def test_a_ping_node_brings_ipfail(cluster):
    links = (*cluster.heartbeat.links, Ping("10.10.10.254"))
    assert "\nrespawn hacluster /usr/libexec/heartbeat/ipfail\n" in ha_cf(
        with_heartbeat(cluster, links=links)
    )
    assert "ipfail" not in ha_cf(cluster)


@pytest.mark.parametrize(("wanted", "written"), [(True, "on"), (False, "off")])
def test_auto_failback(cluster, wanted, written):
    assert f"\nauto_failback {written}\n" in ha_cf(with_heartbeat(cluster, auto_failback=wanted))


def test_authkeys(cluster):
    assert authkeys(cluster) == "auth 1\n1 sha1 golden-heartbeat\n"
