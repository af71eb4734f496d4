"""Interfaces, ARP, and who reaches a node."""

import re

import attrs
import pytest
from reference import changed, is_golden

from san.model import DrbdResource, Serial
from san.render.files import client_files, node_files
from san.render.firewall import FIREWALL
from san.render.network import network_files, sysctl_conf


def files(cluster, host, manager="systemd-networkd"):
    return {file.path: file.content for file in network_files(cluster, host, manager)}


def renamed(cluster, old, new):
    networks = tuple(
        attrs.evolve(network, interface=new) if network.interface == old else network
        for network in cluster.networks
    )
    return changed(cluster, networks=networks)


def test_management_is_left_alone(cluster):
    for manager in ("systemd-networkd", "ifupdown"):
        assert not any(
            "eth0" in path + text for path, text in files(cluster, "weasel", manager).items()
        )


def test_a_storage_interface_is_up_without_an_address(cluster):
    found = files(cluster, "weasel")["/etc/systemd/network/50-san-eth2.network"]
    assert "Address=" not in found
    for line in ("ConfigureWithoutCarrier=yes", "LinkLocalAddressing=no"):
        assert line in found.splitlines()
    stanza = files(cluster, "weasel", "ifupdown")["/etc/network/interfaces.d/san"]
    assert "auto eth2\niface eth2 inet manual\n" in stanza


def test_a_storage_interface_may_have_an_address(cluster):
    weasel = attrs.evolve(
        cluster.nodes[0], addresses={**cluster.nodes[0].addresses, "path-a": "192.168.1.8/24"}
    )
    with_own = changed(cluster, nodes=(weasel, cluster.nodes[1]))
    assert (
        "Address=192.168.1.8/24"
        in files(with_own, "weasel")["/etc/systemd/network/50-san-eth2.network"]
    )
    assert (
        "iface eth2 inet static\n\taddress 192.168.1.8/24\n"
        in files(with_own, "weasel", "ifupdown")["/etc/network/interfaces.d/san"]
    )


def test_floating_addresses_survive_networkd(cluster):
    for path, found in files(cluster, "weasel").items():
        if path.endswith(".network"):
            assert "KeepConfiguration=static" in found.splitlines()


def test_a_client_has_its_own_networks_only(cluster):
    assert sorted(files(cluster, "badger")) == [
        "/etc/sysctl.d/60-san.conf",
        "/etc/systemd/network/50-san-eth2.network",
        "/etc/systemd/network/50-san-eth3.network",
    ]


def test_arp_filter_of_a_vlan(cluster):
    """With dots as separators, sysctl would look for eth2/100."""
    found = sysctl_conf(renamed(cluster, "eth2", "eth2.100"), "weasel")
    assert "net/ipv4/conf/eth2.100/arp_filter = 1" in found.splitlines()


@pytest.mark.parametrize("agent", ["portal", "IPaddr2", "IPaddr"])
def test_stock_scripts_take_no_other_address_along(cluster, agent):
    """Ours sees to it itself; a client has no portals."""
    site = attrs.evolve(cluster, address_agent=agent)
    kept = "net/ipv4/conf/eth2/promote_secondaries = 1"
    assert (kept in sysctl_conf(site, "weasel").splitlines()) == (agent != "portal")
    assert "promote_secondaries" not in sysctl_conf(site, "badger")


def test_an_mtu(cluster):
    networks = tuple(
        attrs.evolve(network, mtu=9000) if network.role == "storage" else network
        for network in cluster.networks
    )
    large = changed(cluster, networks=networks)
    found = files(large, "weasel")
    assert "MTUBytes=9000" in found["/etc/systemd/network/50-san-eth2.network"].splitlines()
    assert "MTUBytes" not in found["/etc/systemd/network/50-san-eth1.network"]
    stanzas = files(large, "weasel", "ifupdown")["/etc/network/interfaces.d/san"].split("\n\n")
    assert [("eth2" in each or "eth3" in each) for each in stanzas[1:]] == [
        "\tmtu 9000" in each.splitlines() for each in stanzas[1:]
    ]


def test_each_host_by_its_own_names(cluster):
    """All that names an interface: files, Heartbeat's links, portals, ARP, the firewall."""
    networks = tuple(
        attrs.evolve(network, interfaces={"otter": f"enp{at}s0", "badger": f"eno{at}"})
        for at, network in enumerate(cluster.networks)
    )
    named = changed(cluster, networks=networks)
    own = {"weasel": "eth", "otter": "enp", "badger": "eno"}
    for host, ours in own.items():
        everything = (node_files if host != "badger" else client_files)(named, host)
        text = "\n".join(f"{file.path}\n{file.content}" for file in everything if is_golden(file))
        found = set(re.findall(r"\b(eth|enp|eno)[0-9]", text))
        assert found == {ours}, host
    assert named.seen_from("weasel").seen_from("otter") == named.seen_from("otter")


class TestFirewall:
    """Who reaches the services of a node."""

    def rules(self, cluster):
        return [line.strip() for line in files(cluster, "weasel")[FIREWALL].splitlines()]

    def test_each_port_from_its_networks_only(self, cluster):
        rules = self.rules(cluster)
        start = rules.index('iifname "lo" accept')
        assert rules[start : rules.index("}", start)] == [
            'iifname "lo" accept',
            'iifname "eth2" tcp dport 3260 accept',
            'iifname "eth3" tcp dport 3260 accept',
            "tcp dport 3260 drop",
            'iifname "eth1" tcp dport 7788 accept',
            "tcp dport 7788 drop",
            'iifname "eth1" udp dport 694 accept',
            "udp dport 694 drop",
        ]

    def test_two_resources_on_one_port_of_two_networks(self, cluster):
        """All that may come to a port comes before the rest is dropped."""
        second = DrbdResource("r1", disk="/dev/sdc", minor=1, network="path-a")
        both = attrs.evolve(cluster, resources=(*cluster.resources, second))
        rules = self.rules(both)
        drop = rules.index("tcp dport 7788 drop")
        assert rules[drop - 2 : drop] == [
            'iifname "eth1" tcp dport 7788 accept',
            'iifname "eth2" tcp dport 7788 accept',
        ]

    def test_without_a_network_link_nobody_is_heard(self, cluster):
        alone = attrs.evolve(cluster.heartbeat, links=(Serial("/dev/ttyS1"),))
        rules = self.rules(attrs.evolve(cluster, heartbeat=alone))
        assert [rule for rule in rules if " 694 " in rule] == ["udp dport 694 drop"]

    def test_no_table_but_ours_is_named(self, cluster):
        rules = self.rules(cluster)
        assert {rule for rule in rules if "table" in rule and not rule.startswith("#")} == {
            "table inet san",
            "delete table inet san",
            "table inet san {",
        }
        assert not any("flush" in rule for rule in rules)

    def test_a_client_has_none(self, cluster):
        assert FIREWALL not in files(cluster, "badger")


def test_an_unknown_manager(cluster):
    with pytest.raises(ValueError, match="netplan"):
        network_files(cluster, "weasel", "netplan")
