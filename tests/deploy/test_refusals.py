"""What a run refuses: one clear sentence, exit 1, nothing changed, and no traceback."""

import os
import pickle

import attrs
import pytest
from simulation import Disk

from san.model import Bcast, Ucast


def refused(bed, *sentences, arguments=(("-y",),), names=()):
    """Each kind of run says the sentences, and leaves the hosts as they are."""
    before = bed.world.lasting()
    for each in arguments:
        ran = bed.run(*each, *names)
        for sentence in sentences:
            assert sentence in ran.refusal
        assert ran.commands == []
    assert bed.world.lasting() == before


DISKS = (
    ({"signatures": ["ext4"]}, "isn't empty: it carries ext4; find out whose it is"),
    ({"content": "content 8192"}, "it carries content without a signature, at byte 8192;"),
    ({"content": "busy"}, "is in use: something on the node has it for itself"),
    ({"content": "busy", "signatures": ["drbd"]}, "is in use: something on the node has it"),
    ({"content": "unreadable 0: Input/output error"}, "can't be read: Input/output error"),
    ({"signatures": ["LVM2_member"]}, "it carries LVM2_member;"),
    ({"partitions": ["vdb1"]}, "it carries partition vdb1;"),
    ({"holders": ["dm-0"]}, "it carries device dm-0;"),
    ({"mounted": "/srv", "signatures": ["ext4"]}, "is in use: mounted on /srv"),
    ({"block": False}, "is no block device; correct the inventory's disk"),
    ({"block": False, "exists": False}, "isn't there; correct the inventory's disk"),
)


@pytest.mark.parametrize("arguments", [("--dry",), ("-y",)])
def test_a_disk_that_may_hold_data(bare, arguments):
    fresh, worlds = bare.keep(), []
    for change, _ in DISKS:
        bare.restore(fresh)
        bare.change(otter=lambda node, to=change: setattr(node, "disk", Disk(**to)))
        worlds.append(bare.keep())
    ends = bare.run_each(worlds, *arguments)
    for (_, sentence), before, (ran, after) in zip(DISKS, worlds, ends, strict=True):
        assert "otter" in ran.refusal
        assert "/dev/disk/by-id/virtio-data for r0" in ran.refusal
        assert sentence in ran.refusal
        assert ran.commands == []
        assert after.lasting() == pickle.loads(before).lasting()  # noqa: S301 (our own)


def test_a_disk_with_drbds_own_metadata_is_taken_as_it_is(bare):
    def had(node):
        node.disk.signatures.append("drbd")
        node.replicas["r0"].generation = "D5CA4B1DD2A0B4CE"

    bare.change(weasel=had)
    ran = bare.run("-y")
    assert ran.returncode == 0, ran.output
    made = [host for host, command in ran.commands if "create-md" in command]
    assert made == ["otter"]
    assert not [words for _, words in ran.commands if "new-current-uuid" in words]


def test_a_group_with_other_disks(served):
    world = served.world
    world.physical["reference"]["/dev/vdc"] = "storage"
    world.save(served.directory)
    refused(served, "the volume group 'storage' lies on /dev/vdc too")


def test_a_device_of_another_group(served):
    world = served.world
    world.physical["reference"]["/dev/drbd0"] = "precious"
    world.logical["reference"]["precious"] = {"data": 1 << 20}
    world.save(served.directory)
    refused(served, "/dev/drbd0 belongs to the volume group 'precious', not to 'storage'")


@pytest.mark.parametrize("alone", [True, False], ids=["StandAlone", "WFConnection"])
def test_a_split_brain(served, alone):
    """DRBD's identifiers tell, whether the nodes have met since or not."""
    world = served.world
    world.part(alone=alone)
    world.replicating = alone
    world.save(served.directory)
    every = (("--dry",), ("-y",), ())  # the last has a prompt, and stops before it
    sides = "weasel (8 KiB changed) and otter (16 KiB changed) both moved on"
    refused(served, f"r0 has a split brain: {sides}", "san recover split-brain", arguments=every)


def test_a_split_brain_with_two_primaries(served):
    def primary(node):
        node.replicas["r0"].role = "Primary"

    world = served.world
    world.part()
    world.save(served.directory)
    served.change(weasel=primary, otter=primary)
    refused(served, "r0 has a split brain")


def test_data_of_two_clusters(served):
    world = served.world
    world.part()
    world.machines["otter"].replicas["r0"].bitmap = "0" * 16
    world.save(served.directory)
    refused(served, "r0 holds unrelated data on weasel and otter")


def test_a_device_that_was_disconnected_is_connected_again(served):
    served.change(otter=lambda node: setattr(node.replicas["r0"], "parted", True))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert ran.commands == [("otter", "drbdadm adjust r0")]


def test_a_host_with_another_name(bare):
    bare.change(otter=lambda node: setattr(node, "hostname", "debian"))
    refused(bare, "`uname -n` prints 'debian' there")


def test_an_interface_that_is_not_there(bare):
    bare.change(weasel=lambda node: node.addresses.pop("eth3"))
    refused(bare, "it has no interface eth3 for network 'path-b' (there is eth0, eth1, eth2)")


@pytest.mark.parametrize("when", ["bare", "served"])
@pytest.mark.parametrize("name", ["10-netplan-eth1", "90-own-vlan"])
def test_an_interface_that_somebody_else_configures(when, name, request):
    """Before ours by name it would win at the next boot; after it, it would be lost."""
    bed = request.getfixturevalue(when)
    file = f"/run/systemd/network/{name}.network"
    bed.change(otter=lambda node: node.network_files.update({file: "eth1"}))
    every = (("--dry",), ("-y",))
    refused(bed, f"eth1 is configured by {file} too", "otter", arguments=every)


@pytest.mark.parametrize(
    ("broken", "fact"),
    [("fullreport", "lvm.Lvm"), ("dpkg-query", "packages.Packages")],
)
def test_a_fact_that_cannot_be_read(served, broken, fact):
    """The fact says what it got, and the run ends with a sentence of ours.

    So does one that was asked for together with others.
    """
    served.change(otter=lambda node: setattr(node, "broken", broken))
    served.change(weasel=lambda node: setattr(node, "broken", broken))
    refused(served, f"facts.{fact} could not be read; see above")


def test_a_fact_that_cannot_be_read_after_a_command_of_the_peer(bare):
    """What is being asked for may be forgotten while it is asked."""
    bare.change(otter=lambda node: setattr(node, "broken", "sha256sum"))
    ran = bare.run("-y")
    assert "facts.files.Files could not be read; see above" in ran.refusal


@pytest.mark.parametrize("bed", ["bare", "served"])
def test_the_peer_is_down(bed, request):
    bed = request.getfixturevalue(bed)
    bed.change(otter=down)
    refused(
        bed,
        "otter can't be reached: both nodes decide together; bring it back, or run with "
        "--data allow_degraded=true to converge what is safe without it",
        arguments=(("--dry",), ("-y",)),
    )


def down(node):
    node.reachable = node.powered = False


# pyinfra itself ends with 1 wherever a host could not be reached: its results tell that it went on.
def test_without_the_peer_what_is_safe_converges(bare):
    """Heartbeat isn't started, and nothing is promoted."""
    bare.change(otter=down)
    ran = bare.run("-y", "--data", "allow_degraded=true")
    assert "--> Results:" in ran.output
    weasel = bare.world.machines["weasel"]
    assert weasel.heartbeat is None
    assert weasel.replicas["r0"].role == "Secondary"
    assert weasel.replicas["r0"].generation == "0000000000000004", "no data of its own"
    assert weasel.text("/etc/ha.d/ha.cf")
    assert weasel.text("/etc/san/stgt.conf")
    assert bare.run("--json", "-y", "--data", "allow_degraded=true").changed == set()
    bare.change(
        otter=lambda node: (setattr(node, "reachable", True), setattr(node, "powered", True))
    )
    again = bare.run("-y")
    assert again.returncode == 0, again.output
    assert bare.world.serving() == "weasel"
    assert bare.world.accidents == []


def test_without_the_serving_node_the_standby_is_not_promoted(served):
    """The run can't reach weasel; otter still can, and says who is Primary."""
    served.change(weasel=lambda node: setattr(node, "reachable", False))
    before = served.world.lasting()
    ran = served.run("-y", "--data", "allow_degraded=true")
    assert "--> Results:" in ran.output
    assert ran.commands == []
    assert served.world.lasting() == before


def test_a_client_that_is_down(served):
    served.change(badger=down)
    refused(served, "badger can't be reached", arguments=(("--dry",), ("-y",)))
    assert "--> Results:" in served.run("-y", "--data", "allow_degraded=true").output


def test_all_hosts_down(served):
    served.change(weasel=down, otter=down, badger=down)
    assert "No hosts remaining" in served.run("-y").refusal


def test_one_node_alone_by_limit(served):
    refused(
        served,
        "otter isn't part of this run: both nodes decide together",
        names=("--limit", "@fake/weasel"),
    )


@pytest.mark.parametrize("option", ["--serial", "--no-wait"])
def test_an_order_that_is_not_ours(served, option):
    refused(served, "--serial and --no-wait take a cluster's nodes out of step", names=(option,))


def test_another_run_holds_the_lock(served):
    lock = (os.getpid(), "ann@desk (process 7) since 2026-01-01 10:00:00 UTC")
    served.change(otter=lambda node: setattr(node, "lock", lock))
    refused(
        served,
        "another run holds the cluster's lock: ann@desk (process 7) since 2026-01-01 10:00:00 UTC",
        arguments=(("-y",), ()),
    )


def test_a_lock_that_a_dead_run_left(served):
    served.change(otter=lambda node: setattr(node, "lock", (4_194_305, "ann@desk")))
    assert served.run("-y").returncode == 0


def test_a_command_that_fails(bare):
    """The others finish the operation they are in; no later one begins."""
    bare.change(otter=lambda node: setattr(node, "broken", "apt-get install"))
    ran = bare.run("-y")
    assert "E: broken" in ran.refusal
    assert not [words for _, words in ran.commands if "san-install" in words]


def test_a_serial_port_that_a_node_lacks(bare):
    bare.change(otter=lambda node: node.serial_ports.remove("/dev/ttyS1"))
    refused(
        bare,
        "otter",
        "it has no serial port /dev/ttyS1 for Heartbeat (there is /dev/ttyS0, /dev/ttyS2,",
        arguments=(("--dry",), ("-y",)),
    )


def test_links_that_are_vlans_of_one_card(bare):
    """The inventory's names don't tell."""
    cluster = bare.cluster
    nodes = tuple(
        attrs.evolve(node, addresses={**node.addresses, "path-a": f"192.168.1.{index}/24"})
        for index, node in enumerate(cluster.nodes, start=2)
    )
    heartbeat = attrs.evolve(cluster.heartbeat, links=(Bcast("replication"), Ucast("path-a")))
    bare.declare(attrs.evolve(cluster, nodes=nodes, heartbeat=heartbeat))
    assert bare.run("--dry").returncode == 0
    bare.change(weasel=lambda node: node.below.update(eth1="bond0", eth2="bond0"))
    refused(bare, "weasel", "all of Heartbeat's links go over bond0 there", arguments=(("--dry",),))
