"""What a host's network lacks is given to it; nothing is taken away."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import firewall, network

from san.decide.links import amiss, contested, manager, not_in_force
from san.decide.refusal import Refusal
from san.observe.interface_files import InterfaceFiles
from san.observe.network import NetworkState

NODE = {"eth1": ("10.10.10.1/24",)}
CLIENT = {"eth2": ("192.168.1.10/24",), "eth3": ("192.168.2.10/24",)}


def test_nothing_at_rest(cluster):
    assert list(amiss(cluster, "weasel", network(**NODE))) == []
    assert list(amiss(cluster, "badger", network(**CLIENT))) == []


def test_all_on_a_bare_node(cluster):
    assert list(amiss(cluster, "weasel", network(arp_filter=False, up=(), more={}))) == [
        ("ip", "link", "set", "eth1", "up"),
        ("ip", "address", "add", "10.10.10.1/24", "broadcast", "+", "dev", "eth1"),
        ("ip", "link", "set", "eth2", "up"),
        ("ip", "link", "set", "eth3", "up"),
        ("sysctl", "-q", "--load", "/etc/sysctl.d/60-san.conf"),
        ("systemctl", "enable", "san-firewall.service"),
        ("systemctl", "reload-or-restart", "san-firewall.service"),
    ]


def test_a_portal_stays_where_it_is(cluster):
    portals = {"eth2": ("192.168.1.1/24",), "eth3": ("192.168.2.1/24",)}
    assert list(amiss(cluster, "weasel", network(**NODE, **portals))) == []


def test_an_mtu_is_set_where_it_is_another(cluster):
    large = attrs.evolve(cluster.networks[1], mtu=9000)
    cluster = attrs.evolve(cluster, networks=(cluster.networks[0], large, *cluster.networks[2:]))
    assert list(amiss(cluster, "weasel", network(**NODE))) == [
        ("ip", "link", "set", "eth1", "mtu", "9000")
    ]
    assert list(amiss(cluster, "weasel", network(mtu=9000, **NODE))) == []
    assert list(amiss(cluster, "badger", network(**CLIENT))) == []


def test_each_host_has_its_own_names(cluster):
    path = attrs.evolve(cluster.networks[2], interfaces={"badger": "enp3s0", "otter": "eno1"})
    networks = (*cluster.networks[:2], path, cluster.networks[3])
    cluster = attrs.evolve(cluster, networks=networks)
    for name, lacks in (("badger", "enp3s0"), ("otter", "eno1")):
        with pytest.raises(Refusal, match=f"no interface {lacks} for network 'path-a'"):
            list(amiss(cluster, name, network()))
    assert list(amiss(cluster, "weasel", network(**NODE))) == []


def test_another_table_than_ours_is_loaded_anew(cluster):
    for lines in ((), firewall()["firewall"][:-1]):
        found = network(**NODE, more={"firewall": lines, "firewall_boot": "enabled"})
        assert list(amiss(cluster, "weasel", found)) == [
            ("systemctl", "reload-or-restart", "san-firewall.service")
        ]


OURS = "/etc/systemd/network/50-san-eth1.network"


def configured(**files):
    files = InterfaceFiles(**files)
    return network(**NODE, more={**firewall(), "files": files, "reloads": True})


@pytest.mark.parametrize(
    "chosen",
    [
        "/run/systemd/network/10-netplan-eth1.network",
        "/etc/systemd/network/60-vlan.network",
        "/usr/lib/systemd/network/10-vendor.network",
    ],
)
def test_a_file_of_somebody_else_is_refused_before_and_after_ours(cluster, chosen):
    before = configured(in_force={"eth1": chosen})
    assert f"eth1 is configured by {chosen} too" in contested(cluster, "weasel", before)
    assert f"networkd has {chosen} in force for eth1, not {OURS}" in not_in_force(
        cluster, "weasel", before
    )


def test_a_shadowed_file_of_the_operators_is_refused(cluster):
    own = "/etc/systemd/network/60-vlan.network"
    found = configured(in_force={"eth1": OURS}, claimed={"eth1": (OURS, own)})
    assert f"eth1 is configured by {own} too" in contested(cluster, "weasel", found)


def test_ours_in_force_and_what_gives_way_to_it_is_well(cluster):
    ours = {f"eth{each}": OURS.replace("eth1", f"eth{each}") for each in (1, 2, 3)}
    found = configured(in_force=ours, claimed={name: (path,) for name, path in ours.items()})
    assert contested(cluster, "weasel", found) is None
    assert not_in_force(cluster, "weasel", found) is None
    vendor = configured(in_force={"eth1": "/usr/lib/systemd/network/80-ethernet.network"})
    assert contested(cluster, "weasel", vendor) is None
    management = configured(in_force={"eth0": "/etc/systemd/network/10-own.network"})
    assert contested(cluster, "weasel", management) is None
    unread = configured(in_force={})
    assert "networkd has no file in force for eth1" in not_in_force(cluster, "weasel", unread)
    unasked = attrs.evolve(unread, reloads=False)
    assert not_in_force(cluster, "weasel", unasked) is None


OWN = "/etc/network/interfaces"
SOURCES = ("/etc/network/interfaces.d/*",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"stanzas": {"eth1": (OWN,)}, "addressed": {"eth1": (OWN,)}, "sources": SOURCES},
            f"has a stanza with an address in {OWN} too",
        ),
        ({"stanzas": {"eth1": (OWN,)}, "sources": SOURCES}, None),
        ({"stanzas": {}, "sources": ()}, "ifupdown doesn't read /etc/network/interfaces.d/san"),
        ({"stanzas": {"eth1": ("/etc/network/interfaces.d/san",)}, "sources": SOURCES}, None),
        ({"stanzas": {"eth0": (OWN,)}, "sources": SOURCES}, None),
    ],
)
def test_a_second_stanza_of_ifupdown_and_one_that_is_not_read(cluster, files, words):
    found = attrs.evolve(configured(**files), managers=("ifupdown",))
    reason = contested(cluster, "weasel", found)
    assert reason is None if words is None else words in reason
    assert not_in_force(cluster, "weasel", found) is None


def test_a_fallback_after_ours_is_no_second_file(cluster):
    dhcp = "/etc/systemd/network/80-dhcp.network"
    files = {"claimed": {"eth0": (dhcp,), "eth1": (OURS, dhcp)}, "in_force": {"eth1": OURS}}
    found = configured(patterned=(dhcp,), **files)
    assert contested(cluster, "weasel", found) is None
    assert "narrow its [Match], and leave the file: it is that of eth0 too" in contested(
        cluster, "weasel", configured(**files)
    )


def test_a_pattern_before_ours_is_one(cluster):
    every = "/etc/systemd/network/10-all.network"
    found = configured(claimed={"eth1": (every, OURS)}, patterned=(every,))
    assert f"eth1 is configured by {every} too" in contested(cluster, "weasel", found)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/run/systemd/network/10-netplan-eth1.network", "out of /etc/netplan/*.yaml"),
        ("/run/systemd/network/09-own.network", "find what writes that file at each boot"),
        ("/etc/systemd/network/10-own.network", "or take it away"),
    ],
)
def test_the_advice_lasts_and_costs_no_other_link(cluster, path, words):
    assert words in contested(cluster, "weasel", configured(claimed={"eth1": (path,)}))


def test_management_that_is_used_is_where_the_inventory_says(cluster):
    """DRBD goes by its address, and the table of nftables by its interface."""
    node = attrs.evolve(
        cluster.nodes[0], addresses={**cluster.nodes[0].addresses, "management": "10.0.0.1/24"}
    )
    resource = attrs.evolve(cluster.resources[0], network="management")
    cluster = attrs.evolve(cluster, nodes=(node, cluster.nodes[1]), resources=(resource,))
    right = network(**NODE, eth0=("10.0.0.1/16",), more=firewall())
    assert not any("10.0.0.1" in " ".join(each) for each in amiss(cluster, "weasel", right))
    wrong = network(**{**NODE, "eth3": (*NODE.get("eth3", ()), "10.0.0.1/24")})
    with pytest.raises(Refusal, match=r"10\.0\.0\.1 of network 'management' is on eth3 there"):
        list(amiss(cluster, "weasel", wrong))


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
            case ("sysctl", "-q", "--load", _):
                arp_filter = True
            case _:
                raise AssertionError(command)
    assert list(amiss(cluster, name, network(arp_filter=arp_filter, up=up, **own))) == []
