"""A change of Heartbeat's settings must not part two nodes that live."""

import attrs
import pytest

from san.decide.heartbeat import AUTHKEYS, HA_CF, deaf
from san.model import Bcast, Mcast, Serial, Ucast
from san.observe.ha_cf import parse_ha_cf
from san.observe.heartbeat import HeartbeatState, NodeState
from san.render.heartbeat import ha_cf


def linked(cluster, *links, **parts):
    heartbeat = attrs.evolve(cluster.heartbeat, links=links, **parts)
    return attrs.evolve(cluster, heartbeat=heartbeat)


def running(cluster, **parts):
    """Heartbeat as it runs by the settings of `cluster`."""
    state = HeartbeatState(
        installed=True,
        running=True,
        boot="enabled",
        nodes=None,
        holds=None,
        ha_cf=parse_ha_cf(ha_cf(cluster)),
        haresources=None,
        authkeys_mode=0o600,
    )
    return attrs.evolve(state, **parts)


def refused(cluster, *states, changed=frozenset({HA_CF}), **keys):
    """What is said of the nodes' Heartbeats, in the nodes' order."""
    names = ("weasel", "otter")
    return deaf(cluster, dict(zip(names, states, strict=False)), changed, **keys)


A, B, C = Bcast("replication"), Bcast("path-a"), Bcast("path-b")
SERIAL = Serial("/dev/ttyS1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((A, SERIAL), (A, SERIAL)),
        ((A, SERIAL), (B, SERIAL)),
        ((A, SERIAL), (A, B)),
        ((A, Mcast("path-a", "239.0.0.42")), (B, Mcast("path-a", "239.0.0.42", ttl=3))),
    ],
)
def test_one_link_that_stays_is_enough(cluster, before, after):
    found = running(linked(cluster, *before))
    assert refused(linked(cluster, *after), found, found) is None


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ((A, SERIAL), (B, C), {}),
        ((A, B), (A, B), {"udpport": 700}),
        ((A, SERIAL), (B, Serial("/dev/ttyS1", baud=38400)), {}),
        ((A, B), (Ucast("replication"), C), {}),
    ],
)
def test_no_link_in_common_is_refused(cluster, before, after, parts):
    found = running(linked(cluster, *before))
    assert "keep one link" in refused(linked(cluster, *after, **parts), found, found)


@pytest.mark.parametrize("link", ["bcast eth1", "serial /dev/ttyS1"])
def test_an_adopted_file_that_says_neither_port_nor_speed_is_heard(cluster, link):
    """It means 694 and 19200, as ours says."""
    adopted = running(cluster, ha_cf=parse_ha_cf(f"{link}\nkeepalive 1\ndeadtime 6"))
    assert refused(linked(cluster, A, SERIAL), adopted, adopted) is None
    assert "keep one link" in refused(
        linked(cluster, A, Serial("/dev/ttyS1", baud=9600), udpport=695), adopted, adopted
    )


def test_links_are_compared_with_both_nodes(cluster):
    """A run that ended between the nodes' turns, and an inventory that went on."""
    ahead, behind = running(linked(cluster, A, B)), running(linked(cluster, A, SERIAL))
    wanted = linked(cluster, B, C)
    assert "none of the links of Heartbeat on otter" in refused(wanted, ahead, behind)
    assert "none of the links of Heartbeat on weasel" in refused(wanted, behind, ahead)
    assert refused(wanted, ahead, ahead) is None
    assert refused(wanted, ahead, attrs.evolve(behind, running=False)) is None


@pytest.mark.parametrize("outdated", ["weasel", "otter"])
@pytest.mark.parametrize(
    "parts", [{"links": (A, SERIAL, C)}, {"keepalive": 0.5}, {"deadtime": 8}, {"udpport": 700}]
)
def test_no_change_upon_one_that_is_not_in_force(cluster, outdated, parts):
    """{eth1, serial} to {eth1, eth2} to {eth2, eth3}: each shares a link with the file before."""
    states = [running(cluster, outdated=name == outdated) for name in ("weasel", "otter")]
    wanted = attrs.evolve(cluster, heartbeat=attrs.evolve(cluster.heartbeat, **parts))
    said = refused(wanted, *states)
    assert f"Heartbeat on {outdated} runs by an older ha.cf" in said
    assert refused(cluster, *states) is None, "what lies there comes into force"


def test_what_somebody_put_into_the_file_is_judged_before_it_comes_into_force(cluster):
    """The file has the inventory's links by now, and the process none of them."""
    wanted = linked(cluster, B, C)
    nodes = {each: NodeState("active", "normal", {"eth1": "up"}) for each in ("weasel", "otter")}
    states = [running(cluster), running(wanted, outdated=True, nodes=nodes)]
    assert "none of the links of Heartbeat on" in refused(wanted, *states, changed=set())
    assert refused(wanted, running(wanted), running(wanted), changed=set()) is None


def test_one_whose_file_is_gone_is_not_guessed_at(cluster):
    said = refused(cluster, running(cluster, ha_cf=None))
    assert "Heartbeat runs on weasel, and the /etc/ha.d/ha.cf that it runs by isn't there" in said
    assert refused(cluster, running(cluster, ha_cf=None, running=False)) is None


def test_the_process_is_asked_too(cluster):
    """A file that was put there by hand, and carries an old time, isn't what Heartbeat runs by."""
    states = {
        name: NodeState("active", "normal", {"/dev/ttyS7": "up"}) for name in ("weasel", "otter")
    }
    found = running(cluster, nodes=states | {"router": NodeState("ping", "ping", {"eth1": "up"})})
    assert "none of the links of Heartbeat on weasel" in refused(cluster, found)
    assert refused(cluster, running(cluster, nodes=None)) is None


TIMES = {"fast": (1, 6), "slow": (10, 30), "between": (1, 30)}


def timed(cluster, name):
    keepalive, deadtime = TIMES[name]
    times = {"warntime": keepalive + 1, "keepalive": keepalive, "deadtime": deadtime}
    return linked(cluster, A, SERIAL, initdead=60, **times)


@pytest.mark.parametrize(("before", "after"), [("slow", "fast"), ("fast", "slow")])
def test_a_deadtime_below_what_the_peer_is_silent(cluster, before, after):
    found = running(timed(cluster, before))
    said = refused(timed(cluster, after), found, found)
    assert "one would take the other for dead" in said
    assert "go by keepalive 1 and deadtime 29.99" in said, "less than the watchdog's"
    assert refused(timed(cluster, "between"), found, found) is None
    between = running(timed(cluster, "between"))
    assert refused(timed(cluster, after), between, between) is None
    assert "otter has keepalive" in refused(timed(cluster, after), between, found)


def test_times_that_are_not_said_are_heartbeats_own(cluster):
    """1 s and 30 s."""
    silent = attrs.evolve(running(cluster).ha_cf, keepalive=None, deadtime=None)
    found = running(cluster, ha_cf=silent)
    assert refused(cluster, found, found) is None
    slower = linked(cluster, A, SERIAL, keepalive=16, warntime=17, deadtime=60, initdead=120)
    assert "on weasel has keepalive 1 and deadtime 30" in refused(slower, found)


def test_each_node_is_judged_by_its_own_interfaces_names(cluster):
    networks = tuple(
        attrs.evolve(each, interfaces={"otter": f"enp{at}s0"})
        for at, each in enumerate(cluster.networks)
    )
    own = attrs.evolve(linked(cluster, A), networks=networks)
    found = [running(own.seen_from(name)) for name in ("weasel", "otter")]
    for name in ("weasel", "otter"):
        assert refused(own.seen_from(name), *found) is None


def test_a_new_key_is_refused_while_it_runs_by_an_old_one(cluster):
    both = running(cluster), running(cluster)
    said = refused(cluster, *both, changed={AUTHKEYS}, other_keys={"weasel", "otter"})
    assert "Heartbeat's key differs" in said
    stopped = running(cluster, running=False)
    said = refused(cluster, stopped, both[1], changed={AUTHKEYS}, other_keys={"weasel", "otter"})
    assert "it runs on otter" in said
    assert refused(cluster, stopped, stopped, changed={AUTHKEYS}, other_keys={"weasel"}) is None
    assert refused(cluster, stopped, both[1], changed={AUTHKEYS}, other_keys={"weasel"}) is None, (
        "the peer has the new one already"
    )


def test_a_file_that_stays_parts_nobody(cluster):
    other = running(linked(cluster, B, C))
    assert refused(cluster, other, other, changed=set()) is None
