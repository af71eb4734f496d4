"""Real nodes (data/network), `ip` of Debian 12 (real), and files as sysctl.d(5) allows them."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.network import Network
from san.observe import network
from san.observe.network import Address, ArpFilterSetting, Link
from san.observe.sections import UnreadableError
from san.render.network import SYSCTL

DATA = Path(__file__).parent / "data" / "network"

REAL = (
    '[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,'
    '"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,'
    '"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00",'
    '"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host",'
    '"label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295}]},'
    '{"ifindex":2,"ifname":"ifb0","flags":["BROADCAST","NOARP"],"mtu":1500,"qdisc":"noop",'
    '"operstate":"DOWN","group":"default","txqlen":32,"link_type":"ether",'
    '"address":"16:99:1e:0f:2f:ee","broadcast":"ff:ff:ff:ff:ff:ff","addr_info":[]},'
    '{"ifindex":4,"ifname":"eth0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1400,'
    '"qdisc":"pfifo_fast","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether",'
    '"address":"02:fc:00:00:00:01","broadcast":"ff:ff:ff:ff:ff:ff","addr_info":[{"family":"inet",'
    '"local":"192.0.2.2","prefixlen":24,"broadcast":"192.0.2.255","scope":"global",'
    '"label":"eth0","valid_life_time":4294967295,"preferred_life_time":4294967295},'
    '{"family":"inet","local":"192.0.2.9","prefixlen":24,"scope":"global","secondary":true,'
    '"label":"eth0:0","valid_life_time":4294967295,"preferred_life_time":4294967295},'
    '{"family":"inet6","local":"fd00::2","prefixlen":64,"scope":"global","nodad":true,'
    '"valid_life_time":4294967295,"preferred_life_time":4294967295}]}]'
)

SETTINGS = [
    "hostname weasel",
    "arp_filter all 0",
    "arp_filter default 0",
    "arp_filter eth0 1",
    "arp_filter lo 0",
]


def answer(*settings, address=REAL, status=0):
    return ["[san:begin network]", address, *settings, "", f"[san:end network {status}]"]


def real(name):
    return network.parse((DATA / f"{name}.txt").read_text().splitlines())


def test_the_node_that_serves_has_the_portals():
    state = real("serving")
    assert state.hostname == "weasel"
    assert state.interfaces["eth2"].has("192.168.1.1/24")
    assert state.interfaces["eth3"].has("192.168.2.1/24")
    assert (state.interfaces["eth2"].arp_filter, state.arp_filter_all) == (True, True)
    assert state.managers == ("systemd-networkd",)
    assert state.manager_of("eth2") == "systemd-networkd"


def test_the_node_that_stands_by_has_its_links_up_without_them():
    state = real("standing-by")
    for name in ("eth2", "eth3"):
        link = state.interfaces[name]
        assert (link.up, link.carrier, link.arp_filter) == (True, True, False)
        assert "global" not in {address.scope for address in link.addresses}
    assert {setting.interface: setting.value for setting in state.persistent} == {
        "all": "1",
        "default": "1",
        "eth2": "1",
        "eth3": "1",
    }


def test_links_have_state_addresses_and_arp_filter():
    links = network.parse(answer(*SETTINGS)).interfaces
    assert list(links) == ["lo", "ifb0", "eth0"]
    assert links["eth0"] == Link(
        up=True,
        carrier=True,
        mac="02:fc:00:00:00:01",
        mtu=1400,
        addresses=(
            Address("192.0.2.2/24", secondary=False, label="eth0", scope="global"),
            Address("192.0.2.9/24", secondary=True, label="eth0:0", scope="global"),
            Address("fd00::2/64", secondary=False, label=None, scope="global"),
        ),
        arp_filter=True,
    )
    assert links["eth0"].has("192.0.2.9/24")
    assert not links["eth0"].has("192.0.2.9/25")


def test_a_link_that_is_down_has_no_carrier_and_perhaps_no_setting():
    link = network.parse(answer(*SETTINGS)).interfaces["ifb0"]
    assert (link.up, link.carrier, link.addresses, link.arp_filter) == (False, False, (), None)


def test_no_interface_at_all_is_an_answer():
    assert network.parse(answer(*SETTINGS, address="[]")).interfaces == {}


@pytest.mark.parametrize("text", ["", "{", "7", '[{"ifname": "eth0"}]', "Device is gone"])
def test_what_ip_never_prints_is_unreadable(text):
    with pytest.raises(UnreadableError, match="ip printed no list of links"):
        network.parse(answer(*SETTINGS, address=text))


def test_a_missing_ip_is_not_a_host_without_interfaces():
    with pytest.raises(UnreadableError, match="status 127"):
        network.parse(answer(*SETTINGS, address="sh: 1: ip: not found", status=127))


def test_proc_that_can_not_be_read_is_said():
    with pytest.raises(UnreadableError, match="/proc/sys"):
        network.parse(answer("hostname weasel", "arp_filter all 0"))


def test_a_part_that_is_missing_is_said():
    with pytest.raises(UnreadableError, match="lacks its part"):
        network.parse([])


@pytest.mark.parametrize(
    ("line", "interface", "value"),
    [
        ("net.ipv4.conf.all.arp_filter=1", "all", "1"),
        ("  net.ipv4.conf.*.arp_filter = 1  ", "*", "1"),
        ("-net.ipv4.conf.eth2.arp_filter = 0", "eth2", "0"),
        ("net.ipv4.conf.eth0/100.arp_filter = 1", "eth0.100", "1"),
        ("net/ipv4/conf/eth0.100/arp_filter = 1", "eth0.100", "1"),
    ],
)
def test_sysctl_lines_are_read_as_sysctl_d_says(line, interface, value):
    found = network.parse(answer(*SETTINGS, f"/etc/sysctl.d/san.conf:{line}")).persistent
    assert found == (ArpFilterSetting("/etc/sysctl.d/san.conf", interface, value),)


@pytest.mark.parametrize(
    "line", ["# net.ipv4.conf.all.arp_filter=1", ";net.ipv4.conf.all.arp_filter=1", "arp_filter"]
)
def test_comments_set_nothing(line):
    assert network.parse(answer(*SETTINGS, f"/etc/sysctl.conf:{line}")).persistent == ()


ENABLED = "unit networking.service enabled"
STANZAS = [
    "/etc/network/interfaces:iface lo inet loopback",
    "/etc/network/interfaces:iface eth1 inet static",
    "/etc/network/interfaces:iface eth1 inet6 auto",
    "/etc/network/interfaces.d/storage:   iface eth2 inet manual",
]


@pytest.mark.parametrize(
    ("lines", "managers", "of_eth2"),
    [
        ([], (), None),
        (["daemon systemd-network"], ("systemd-networkd",), "systemd-networkd"),
        (["daemon NetworkManager"], ("NetworkManager",), "NetworkManager"),
        ([ENABLED], ("ifupdown",), "ifupdown"),
        ([ENABLED, *STANZAS], ("ifupdown",), "ifupdown"),
        ([ENABLED, "daemon systemd-network"], ("systemd-networkd",), "systemd-networkd"),
        (
            [ENABLED, "daemon systemd-network", *STANZAS],
            ("systemd-networkd", "ifupdown"),
            "ifupdown",
        ),
        (
            [ENABLED, "daemon systemd-network", *STANZAS[:2]],
            ("systemd-networkd", "ifupdown"),
            "systemd-networkd",
        ),
        (STANZAS, (), None),
    ],
)
def test_who_configures_an_interface(lines, managers, of_eth2):
    state = network.parse(answer(*SETTINGS, *lines))
    assert state.managers == managers
    assert state.manager_of("eth2") == of_eth2


def test_ifupdowns_stanzas_by_interface_without_lo():
    files = network.parse(answer(*SETTINGS, *STANZAS)).files
    assert files.stanzas == {
        "eth1": ("/etc/network/interfaces",),
        "eth2": ("/etc/network/interfaces.d/storage",),
    }
    assert files.addressed == {"eth1": ("/etc/network/interfaces",)}, "manual has no address"
    assert network.parse(answer(*SETTINGS, STANZAS[2])).files.addressed == {}, "nor IPv4 by inet6"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("source /etc/network/interfaces.d/*", True),
        ("  source interfaces.d/*", True),
        ("source-directory /etc/network/interfaces.d", True),
        ("source-directory interfaces.d", True),
        ("source /etc/network/interfaces.d/*.cfg", False),
        ("#source /etc/network/interfaces.d/*", False),
        ("iface eth1 inet static", False),
    ],
)
def test_whether_ifupdown_reads_our_file(line, read):
    files = network.parse(answer(*SETTINGS, f"/etc/network/interfaces:{line}")).files
    assert files.read_by_ifupdown("/etc/network/interfaces.d/san") is read


def networkd(*lines, path="/etc/systemd/network/10-own.network"):
    return network.parse(answer(*SETTINGS, *(f"{path}:{line}" for line in lines))).files


def test_the_file_that_networkd_has_in_force():
    """Of a real node: link 4 is eth0."""
    line = "NETWORK_FILE=/run/systemd/network/10-netplan-eth0.network"
    found = networkd(line, path="/run/systemd/netif/links/4")
    assert found.in_force == {"eth0": "/run/systemd/network/10-netplan-eth0.network"}
    assert networkd(line, path="/run/systemd/netif/links/77").in_force == {}


@pytest.mark.parametrize(
    ("lines", "claims"),
    [
        (("[Match]", "Name=eth0"), True),
        (("[Match]", "Name=en* eth*"), True),
        (("[Match]", "Name = eth1 eth0 "), True),
        (("[Match]", "Name=!eth0"), False),
        (("[Match]", "Name=!lo ifb*"), True),
        (("[Match]", "MACAddress=02:FC:00:00:00:01"), True),
        (("[Match]", "PermanentMACAddress=02:fc:00:00:00:02"), False),
        (("[Match]", "Type=ether"), True),
        (("[Match]", "Name=eth0", "Type=wlan"), False),
        (("[Match]", "Name=eth1"), False),
        (("[Match]", "Name=eth0", "Driver=virtio_net"), False),  # nobody here can tell
        (("[Match]",), False),
        (("[Link]", "Name=eth0"), False),
        (("[Network]", "Name=eth0", "[Match]", "Name=eth9"), False),
    ],
)
def test_which_files_claim_a_link(lines, claims):
    claimed = networkd(*lines).claimed
    assert ("eth0" in claimed) is claims
    assert claimed.get("eth0", ()) in ((), ("/etc/systemd/network/10-own.network",))


def test_our_table_of_nftables_is_read_line_by_line():
    listed = ["table inet san {", "chain input {", 'iifname "lo" accept', "}", "}"]
    state = network.parse(answer(*SETTINGS, *(f"nft {line}" for line in listed)))
    assert state.firewall == ("chain input {", 'iifname "lo" accept')
    assert network.parse(answer(*SETTINGS)).firewall == ()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_json_is_read_or_refused(value):
    try:
        network.parse_links(json.dumps(value), {})
    except UnreadableError:
        assert value != []


@pytest.mark.parametrize(
    ("lines", "patterned"),
    [
        (("[Match]", "Name=en* eth*"), True),
        (("[Match]", "Type=ether"), True),
        (("[Match]", "Name=eth* eth1"), False),
        (("[Match]", "MACAddress=02:fc:00:00:00:01"), False),
        (("[Match]", "Name=!lo"), True),
    ],
)
def test_which_files_name_no_single_link(lines, patterned):
    assert bool(networkd(*lines).patterned) is patterned


def test_a_kernel_setting_is_read_whole_and_told_where_it_differs(tmp_path):
    """By dash, whose own read of /proc/sys ends after one byte."""
    ours = tmp_path / "60-san.conf"
    ours.write_text(
        "# kernel/ostype = of a comment\nkernel/ostype = Linux\nkernel/panic = 4711\n"
        "net/ipv4/conf/nowhere/arp_filter = 1\n"
    )
    command = str(Network().command()).replace(SYSCTL, str(ours))
    said = subprocess.run(["dash", "-c", command], capture_output=True, text=True, check=True)
    found = network.parse(said.stdout.splitlines())
    assert found.differing == ("kernel/panic", "net/ipv4/conf/nowhere/arp_filter")
