"""The node's table of nftables, loaded by the real nft, and scanned from each network."""

import shutil
import sys

import attrs
import pytest
from private_machine import holder, rendered, run

from san.model import Network
from san.observe import network
from san.render.firewall import FIREWALL, chain

NETWORKS = {"eth0": "10.0.0", "eth1": "10.10.10", "eth2": "192.168.1", "eth3": "192.168.2"}
PORTS = (("tcp", 3260), ("tcp", 7788), ("udp", 694), ("tcp", 22))
SERVE = """
import socket, threading
def echo(one):
    while True:
        data, who = one.recvfrom(99)
        one.sendto(data, who)
for kind, port in ((1, 3260), (1, 7788), (1, 22), (2, 694)):
    one = socket.socket(type=socket.SocketKind(kind))
    one.bind(("", port))
    if kind == 1:
        one.listen()
    else:
        threading.Thread(target=echo, args=(one,)).start()
    globals()[f"kept{port}"] = one
print("ready", flush=True)
threading.Event().wait()
"""
ASK = """
import socket, sys
kind, address, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
one = socket.socket(type=socket.SocketKind(kind))
one.settimeout(1)
try:
    one.connect((address, port))
    if kind == 2:
        one.send(b"?")
        one.recv(9)
    print("open")
except OSError:
    print("shut")
"""


class Node:
    """A node and a host that is on all of its networks."""

    def __init__(self, own, other):
        self.own, self.other = own, other

    def run(self, *command, **more):
        return run("nsenter", "-t", str(self.own.pid), "-n", *command, **more)

    def beside(self, *command, **more):
        return run("nsenter", "-t", str(self.other.pid), "-n", *command, **more)

    def load(self, cluster):
        self.run("nft", "-f", "-", input=rendered(cluster, FIREWALL))

    def scan(self, address):
        """Which ports of that address answer the other host."""
        return {
            (protocol, port)
            for protocol, port in PORTS
            if self.beside(
                sys.executable, "-c", ASK, "1" if protocol == "tcp" else "2", address, str(port)
            ).stdout
            == "open\n"
        }


@pytest.fixture
def node():
    if not shutil.which("nft"):
        pytest.skip("there is no nft: install nftables (make does)")
    own = holder("--net", sys.executable, "-c", SERVE)
    other = holder("--net", "sh", "-c", "echo ready; exec sleep 600")
    one = Node(own, other)
    try:
        one.run("ip", "link", "set", "lo", "up")
        for name, net in NETWORKS.items():
            wire = ("type", "veth", "peer", "name", name, "netns", str(other.pid))
            made = one.run("ip", "link", "add", name, *wire, check=False)
            if made.returncode:
                pytest.skip(f"this kernel makes no veth interfaces: {made.stderr.strip()}")
            for ask, last in ((one.run, 1), (one.beside, 2)):
                ask("ip", "address", "add", f"{net}.{last}/24", "dev", name)
                ask("ip", "link", "set", name, "up")
        if one.run("nft", "list", "tables", check=False).returncode:
            pytest.skip("this kernel has no nftables")
        yield one
    finally:
        for process in (own, other):
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture
def reference(cluster):
    """The shipped inventory's networks, as this test has them."""
    assert {each.interface for each in cluster.networks} == NETWORKS.keys()
    return cluster


def test_each_network_reaches_its_own_services(node, reference):
    everything = set(PORTS)
    assert node.scan("10.0.0.1") == everything, "nothing is shut before"
    node.load(reference)
    assert node.scan("10.0.0.1") == {("tcp", 22)}
    assert node.scan("10.10.10.1") == {("tcp", 22), ("tcp", 7788), ("udp", 694)}
    assert node.scan("192.168.1.1") == {("tcp", 22), ("tcp", 3260)}
    assert node.scan("192.168.2.1") == {("tcp", 22), ("tcp", 3260)}


def test_a_portal_is_not_reached_through_management(node, reference):
    """Linux takes a packet for any of its addresses on any interface."""
    node.beside("ip", "route", "add", "192.168.1.1/32", "via", "10.0.0.1", "dev", "eth0")
    assert ("tcp", 3260) in node.scan("192.168.1.1")
    node.load(reference)
    assert ("tcp", 3260) not in node.scan("192.168.1.1")


def test_the_node_itself_reaches_all(node, reference):
    """Its watch logs in from the portal's own address."""
    node.load(reference)
    said = node.run(sys.executable, "-c", ASK, "1", "192.168.1.1", "3260").stdout
    assert said == "open\n"


def test_other_tables_stay_as_they_are(node, reference):
    other = 'add table inet filter { chain mine { tcp dport 3260 counter comment "mine"; }; }'
    node.run("nft", other)
    before = node.run("nft", "list", "table", "inet", "filter").stdout
    for _ in range(2):
        node.load(reference)
        assert node.run("nft", "list", "table", "inet", "filter").stdout == before


def listed(node):
    """Our table as the fact reads it."""
    lines = node.run("nft", "list", "table", "inet", "san", check=False).stdout.splitlines()
    head = ["[san:begin network]", "[]", "hostname weasel"]
    settings = ["arp_filter all 0", "arp_filter default 0"]
    table = [f"nft {line.strip()}" for line in lines]
    return network.parse([*head, *settings, *table, "", "[san:end network 0]"]).firewall


def test_what_is_loaded_is_known_from_what_is_not(node, reference):
    assert listed(node) == ()
    node.load(reference)
    assert listed(node) == chain(reference)
    node.run("nft", "flush", "chain", "inet", "san", "input")
    assert listed(node) != chain(reference)
    node.load(reference)
    node.run("nft", "insert", "rule", "inet", "san", "input", "accept")
    assert listed(node) != chain(reference)


def test_another_inventory_replaces_it(node, reference):
    node.load(reference)
    vlan = Network("path-a", "eth2.100", role="storage", subnet="192.168.1.0/24")
    networks = (*reference.networks[:2], vlan, reference.networks[3])
    changed = attrs.evolve(reference, networks=networks)
    node.load(changed)
    assert listed(node) == chain(changed)
