"""The portal resource script, in networks of its own: a node's, and a neighbour's beside it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from private_machine import run

from san.render.template import TEMPLATES

ADDRESS = "192.168.7.1/24"
PORTAL = f"{ADDRESS}/eth2"
RIVAL = "02:00:00:00:00:09"
LOCK = "/run/san/portal.192.168.7.1"


class Node:
    """The machine, whose eth2 is wired to the neighbour's p2."""

    def __init__(self, machine, neighbour):
        self.machine = machine
        self.neighbour = neighbour

    def call(self, *words):
        return self.machine.call(*words)

    def addresses(self):
        return self.machine.run("ip", "-o", "-4", "address", "show", "eth2").stdout

    def beside(self, *command):
        return run("nsenter", "-t", str(self.neighbour), "-n", *command)

    def known(self):
        """What the neighbour takes for the portal's hardware address."""
        words = self.beside("ip", "neigh", "show", "192.168.7.1", "dev", "p2").stdout.split()
        return words[words.index("lladdr") + 1] if "lladdr" in words else None

    def hardware_address(self):
        words = self.machine.run("ip", "-o", "link", "show", "eth2").stdout.split()
        return words[words.index("link/ether") + 1]

    def announcers(self):
        """Processes of the portal's name in the machine's network."""
        network = self.machine.run("readlink", "/proc/self/ns/net").stdout.strip()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                name, where = (path / "comm").read_text(), (path / "ns/net").readlink()
            except OSError:
                continue
            if name == "portal\n" and str(where) == network:
                found.append(int(path.name))
        return found

    @contextmanager
    def stranger(self, *, stopped=False):
        """A process of somebody's, and its number where a former announcer's was written down."""
        with running("sleep", "600") as process:
            if stopped:
                process.send_signal(signal.SIGSTOP)
            self.machine.put(LOCK, f"{process.pid}\n")
            yield process

    @contextmanager
    def stuck_announcer(self):
        """Somebody who holds the announcer's lock and doesn't end."""
        hold = (
            f"import fcntl, time; lock = open('{LOCK}', 'a'); fcntl.flock(lock, 2); "
            "print('held', flush=True); time.sleep(600)"
        )
        command = (sys.executable, "-c", hold)
        with running(*self.machine.enter, *command) as process:
            assert process.stdout.readline() == "held\n"
            yield


@contextmanager
def running(*command):
    """A process that ends with the block, whatever comes of that."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def node(machine):
    """A node with the script, and a living neighbour at 192.168.7.9."""
    holder = subprocess.Popen(
        ("unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "ready\n"
    wire = ("link", "add", "eth2", "type", "veth", "peer", "name", "p2", "netns", str(holder.pid))
    made = machine.run("ip", *wire, check=False)
    if made.returncode:
        pytest.skip(f"this kernel makes no veth interfaces: {made.stderr.strip()}")
    machine.run("ip", "link", "set", "eth2", "up")
    one = Node(machine, holder.pid)
    one.beside("ip", "link", "set", "p2", "up", "address", RIVAL)
    one.beside("ip", "address", "add", "192.168.7.9/24", "dev", "p2")
    machine.script.write_text((TEMPLATES / "resource.d/portal").read_text())
    yield one
    machine.call(PORTAL, "stop")
    machine.run("ip", "link", "del", "eth2", check=False)
    holder.kill()
    holder.wait()
    holder.stdout.close()


def test_life(node):
    assert node.call(PORTAL, "status").stdout == "stopped\n"
    assert node.call(PORTAL, "start").returncode == 0
    assert f"inet {ADDRESS} brd 192.168.7.255 scope global eth2" in node.addresses()
    assert node.call(PORTAL, "status").stdout == "running\n"
    assert node.call(PORTAL, "start").returncode == 0
    assert node.addresses().count("inet ") == 1
    assert node.call(PORTAL, "stop").returncode == 0
    assert node.addresses() == ""
    stopped = node.call(PORTAL, "status")
    assert (stopped.stdout, stopped.returncode) == ("stopped\n", 3)
    assert node.call(PORTAL, "stop").returncode == 0


def test_other_addresses_stay(node):
    """The same IP with another prefix is not ours either."""
    for other in ("192.168.7.2/24", "192.168.7.1/32"):
        node.machine.run("ip", "address", "add", other, "dev", "eth2")
    assert node.call(PORTAL, "status").stdout == "stopped\n"
    assert node.call(PORTAL, "start").returncode == 0
    assert node.addresses().count("inet ") == 3
    assert node.call(PORTAL, "stop").returncode == 0
    assert "192.168.7.2/24" in node.addresses()
    assert "192.168.7.1/32" in node.addresses()


def test_a_neighbour_that_knew_the_dead_node_learns_the_new_one(node):
    stale = ("192.168.7.1", "lladdr", "02:00:00:00:00:77", "dev", "p2", "nud", "stale")
    node.beside("ip", "neigh", "add", *stale)
    time.sleep(1.1)  # Linux believes no announcement within a second of the last change
    assert node.call(PORTAL, "start").returncode == 0
    assert node.known() == node.hardware_address()


def test_it_goes_on_announcing_until_stopped(node):
    node.call(PORTAL, "start")
    until(lambda: len(node.announcers()) == 1, 1)
    stale = ("192.168.7.1", "lladdr", "02:00:00:00:00:77", "dev", "p2", "nud", "stale")
    node.beside("ip", "neigh", "replace", *stale)
    until(lambda: node.known() == node.hardware_address(), 8)
    node.call(PORTAL, "start")
    until(lambda: len(node.announcers()) == 1, 1)
    node.call(PORTAL, "stop")
    assert node.announcers() == []


def test_an_announcer_is_none_of_heartbeats_programs(node):
    """They run the script in a fork of theirs; by their names one tells that something moves."""
    harc = node.machine.script.with_name("harc")
    harc.write_text(f"#!/usr/bin/perl\ndo '{node.machine.script}';\n")
    harc.chmod(0o755)
    assert node.machine.run(str(harc), PORTAL, "start").returncode == 0
    until(lambda: len(node.announcers()) == 1, 5)


def test_an_announcer_ends_with_its_address(node):
    node.call(PORTAL, "start")
    until(node.announcers, 5)
    node.machine.run("ip", "address", "del", ADDRESS, "dev", "eth2")
    until(lambda: not node.announcers(), 0.5)  # it is told, and doesn't look for it now and then


def test_the_nodes_own_address_of_the_subnet_stays(node):
    """It came after the portal, so it counts as the second one: by default it goes as well."""
    node.machine.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/all/promote_secondaries")
    node.machine.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/eth2/promote_secondaries")
    node.call(PORTAL, "start")
    node.machine.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/eth2/promote_secondaries")
    node.machine.run("ip", "address", "add", "192.168.7.2/24", "dev", "eth2")
    assert "192.168.7.2/24 scope global secondary" in node.addresses()
    assert node.call(PORTAL, "stop").returncode == 0
    assert "192.168.7.2/24" in node.addresses()
    assert "192.168.7.1/24" not in node.addresses()
    assert "src 192.168.7.2" in node.machine.run("ip", "route", "get", "192.168.7.9").stdout


def test_the_portal_stays_when_the_nodes_own_address_goes(node):
    node.machine.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/eth2/promote_secondaries")
    node.machine.run("ip", "address", "add", "192.168.7.2/24", "dev", "eth2")
    node.call(PORTAL, "start")
    node.machine.run("ip", "address", "del", "192.168.7.2/24", "dev", "eth2")
    assert node.call(PORTAL, "status").stdout == "running\n"


@pytest.mark.parametrize("action", ["start", "stop"])
@pytest.mark.parametrize("stopped", [False, True], ids=["at work", "stopped"])
def test_a_process_that_has_a_former_announcers_number_lives(node, action, stopped):
    with node.stranger(stopped=stopped) as process:
        with node.stuck_announcer():
            assert node.call(PORTAL, action).returncode == 0
        assert process.poll() is None


def test_the_address_goes_though_the_announcer_does_not_end(node):
    node.call(PORTAL, "start")
    (announcer,) = until(node.announcers, 5)
    os.kill(announcer, signal.SIGSTOP)
    began = time.monotonic()
    stopped = node.call(PORTAL, "stop")
    os.kill(announcer, signal.SIGCONT)
    assert stopped.returncode == 0
    assert "its announcer does not end" in stopped.stderr
    assert node.addresses() == ""
    assert time.monotonic() - began < 3
    until(lambda: not node.announcers(), 1)


def test_a_link_without_arp_is_refused(node):
    node.machine.run("ip", "link", "set", "eth2", "arp", "off")
    for action in ("start", "rival"):
        refused = node.call(PORTAL, action)
        assert refused.returncode == 1
        assert "eth2 has ARP switched off" in refused.stderr
    assert node.addresses() == ""
    assert (node.call(PORTAL, "status").returncode, node.call(PORTAL, "stop").returncode) == (3, 0)


@pytest.mark.parametrize(
    "kind",
    [
        ("tun",),
        ("ipip", "local", "192.168.7.2", "remote", "192.168.7.9"),
        ("gre", "local", "192.168.7.2", "remote", "192.168.7.9"),
    ],
    ids=lambda kind: kind[0],
)
def test_a_link_that_is_no_ethernet_is_refused(node, kind):
    made = (
        node.machine.run("ip", "tuntap", "add", "other0", "mode", "tun", check=False)
        if kind == ("tun",)
        else node.machine.run("ip", "link", "add", "other0", "type", *kind, check=False)
    )
    if made.returncode:
        pytest.skip(
            f"this kernel makes no {kind[0]} link ({made.stderr.strip()}); Debian's does, and the "
            "portal judges every link that isn't Ethernet alike"
        )
    try:
        refused = node.call(f"{ADDRESS}/other0", "start")
        assert refused.returncode == 1
        assert "other0 is no Ethernet (its link type is " in refused.stderr
        assert node.machine.run("ip", "-4", "address", "show", "other0").stdout == ""
    finally:
        node.machine.run("ip", "link", "del", "other0")


def test_start_does_not_wait_for_its_announcer(node):
    """Heartbeat and ssh read what a script writes until its end."""
    started = time.monotonic()
    node.call(PORTAL, "start")  # reads to the end
    assert time.monotonic() - started < 1.5


def test_an_address_that_another_host_answers_for_is_not_claimed(node):
    node.beside("ip", "address", "add", ADDRESS, "dev", "p2")
    refused = node.call(PORTAL, "start")
    assert refused.returncode == 1
    assert f"another host answers for 192.168.7.1 on eth2: {RIVAL}" in refused.stderr
    assert node.addresses() == ""
    assert node.call(PORTAL, "status").stdout == "stopped\n"
    assert node.announcers() == []


def test_one_that_is_here_already_is_not_asked_for(node):
    node.call(PORTAL, "start")
    node.beside("ip", "address", "add", ADDRESS, "dev", "p2")
    assert node.call(PORTAL, "start").returncode == 0


@pytest.mark.parametrize("held", [False, True], ids=["not ours", "ours as well"])
def test_a_rival_is_another_host_that_answers(node, held):
    """Nothing is claimed by asking, and what is held is asked for, too."""
    if held:
        node.call(PORTAL, "start")
    before = node.addresses()
    alone = node.call(PORTAL, "rival")
    assert (alone.stdout, alone.returncode) == ("none\n", 3)
    node.beside("ip", "address", "add", ADDRESS, "dev", "p2")
    found = node.call(PORTAL, "rival")
    assert (found.stdout, found.returncode) == (f"{RIVAL}\n", 0)
    assert node.addresses() == before


def test_another_card_of_this_node_is_no_rival(node):
    """Two storage cards on one segment: the kernel answers on both."""
    node.beside("ip", "address", "add", ADDRESS, "dev", "p2")
    node.machine.run("ip", "link", "add", "own9", "address", RIVAL, "type", "veth")
    node.machine.run("mount", "-t", "sysfs", "sysfs", "/sys")  # of this network
    try:
        assert node.call(PORTAL, "rival").stdout == "none\n"
    finally:
        node.machine.run("umount", "/sys")
        node.machine.run("ip", "link", "del", "own9")


def test_a_rival_can_not_be_looked_for_without_the_interface(node):
    node.machine.run("ip", "link", "del", "eth2")
    assert node.call(PORTAL, "rival").returncode == 1


def test_an_interface_that_is_down_is_set_up(node):
    node.machine.run("ip", "link", "set", "eth2", "down")
    assert node.call(PORTAL, "start").returncode == 0
    assert "UP" in node.machine.run("ip", "-o", "link", "show", "eth2").stdout


def test_without_its_interface(node):
    """Nothing is held there, and nothing can be."""
    node.machine.run("ip", "link", "del", "eth2")
    assert node.call(PORTAL, "status").stdout == "stopped\n"
    assert node.call(PORTAL, "stop").returncode == 0
    failed = node.call(PORTAL, "start")
    assert failed.returncode == 1
    assert "there is no interface eth2" in failed.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("start",),
        (PORTAL,),
        (PORTAL, "reload"),
        ("192.168.7.1/eth2", "start"),
        ("192.168.7.256/24/eth2", "start"),
        ("192.168.7.1/33/eth2", "start"),
        ("192.168.7.1/24/an-interface-too-long", "start"),
        (PORTAL, "start", "now"),
    ],
)
def test_wrong_calls(node, words):
    assert node.call(*words).returncode == 2


def until(true, seconds):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
