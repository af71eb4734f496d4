"""What a host's network lacks is given to it; nothing is taken away."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import network

from san.decide.links import amiss, manager
from san.decide.refusal import Refusal
from san.observe.network import NetworkState

NODE = {"eth1": ("10.10.10.1/24",)}
CLIENT = {"eth2": ("192.168.1.10/24",), "eth3": ("192.168.2.10/24",)}


def test_nothing_at_rest(cluster):
    assert list(amiss(cluster, "weasel", network(**NODE))) == []
    assert list(amiss(cluster, "badger", network(arp_filter=False, **CLIENT))) == []


def test_all_on_a_bare_node(cluster):
    assert list(amiss(cluster, "weasel", network(arp_filter=False, up=()))) == [
        ("ip", "link", "set", "eth1", "up"),
        ("ip", "address", "add", "10.10.10.1/24", "broadcast", "+", "dev", "eth1"),
        ("ip", "link", "set", "eth2", "up"),
        ("ip", "link", "set", "eth3", "up"),
        ("sysctl", "-q", "net.ipv4.conf.all.arp_filter=1"),
    ]


def test_a_portal_stays_where_it_is(cluster):
    portals = {"eth2": ("192.168.1.1/24",), "eth3": ("192.168.2.1/24",)}
    assert list(amiss(cluster, "weasel", network(**NODE, **portals))) == []


def test_an_interface_that_is_not_there_is_refused(cluster):
    found = network(**NODE)
    without = {name: link for name, link in found.interfaces.items() if name != "eth3"}
    lacking = NetworkState(**{**vars_of(found), "interfaces": without})
    with pytest.raises(Refusal, match=r"no interface eth3 for network 'path-b' \(there is eth0, "):
        list(amiss(cluster, "weasel", lacking))


def silent(found, *interfaces):
    """The network, with links that have no Ethernet's ARP."""
    links = {
        name: attrs.evolve(link, arp=name not in interfaces)
        for name, link in found.interfaces.items()
    }
    return attrs.evolve(found, interfaces=links)


def test_a_portal_needs_ethernets_arp(cluster):
    with pytest.raises(Refusal, match=r"eth3 has no Ethernet's ARP \(ip -d link show eth3\)"):
        list(amiss(cluster, "weasel", silent(network(**NODE), "eth3")))


def test_without_a_portal_no_arp_is_needed(cluster):
    """Not on the replication's link, not on a client, and not for the stock script."""
    assert list(amiss(cluster, "weasel", silent(network(**NODE), "eth1"))) == []
    clients = silent(network(**CLIENT), "eth2", "eth3")
    assert list(amiss(cluster, "badger", clients)) == []
    stock = attrs.evolve(cluster, address_agent="IPaddr2")
    assert list(amiss(stock, "weasel", silent(network(**NODE), "eth2"))) == []


def vars_of(state):
    return {name: getattr(state, name) for name in state.__slots__ if name[0] != "_"}


def test_who_manages_the_interfaces(cluster):
    assert manager(cluster, network()) == "systemd-networkd"
    foreign = NetworkState(**{**vars_of(network()), "managers": ("NetworkManager",)})
    with pytest.raises(Refusal, match="eth1 is managed by NetworkManager"):
        manager(cluster, foreign)
    nobody = NetworkState(**{**vars_of(network()), "managers": ()})
    with pytest.raises(Refusal, match="eth1 is managed by nothing that runs"):
        manager(cluster, nobody)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["weasel", "otter", "badger"]),
    up=st.sets(st.sampled_from(["eth1", "eth2", "eth3"])),
    own=st.dictionaries(
        st.sampled_from(["eth1", "eth2", "eth3"]),
        st.lists(st.sampled_from(["10.10.10.1/24", "192.168.1.10/24", "1.2.3.4/8"]), unique=True),
    ),
    arp_filter=st.booleans(),
)
def test_twice_is_once_and_nothing_is_taken_away(cluster, name, up, own, arp_filter):
    up, own = set(up), {key: list(value) for key, value in own.items()}
    for command in amiss(cluster, name, network(arp_filter=arp_filter, up=up, **own)):
        match command:
            case ("ip", "link", "set", interface, "up"):
                up.add(interface)
            case ("ip", "address", "add", address, "broadcast", "+", "dev", interface):
                own.setdefault(interface, []).append(address)
            case ("sysctl", "-q", "net.ipv4.conf.all.arp_filter=1"):
                arp_filter = True
            case _:
                raise AssertionError(command)
    assert list(amiss(cluster, name, network(arp_filter=arp_filter, up=up, **own))) == []
