"""Interfaces and ARP."""

import attrs
import pytest
from reference import changed

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


def test_an_unknown_manager(cluster):
    with pytest.raises(ValueError, match="netplan"):
        network_files(cluster, "weasel", "netplan")
