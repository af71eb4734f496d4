"""QEMU's command line of a machine."""

from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve

from san.lab import qemu
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import BADGER, MACHINES, MEMORY_MIB, OTTER, WEASEL, Machine, machine

LAYOUT = Layout(Path("/lab"))
BOOT = qemu.Boot("qemu", "tcg", 2201)


def options(argv: list[str], name: str) -> list[str]:
    """Values of every `-name` on a command line."""
    return [value for option, value in pairwise(argv) if option == f"-{name}"]


def test_disks_come_in_order_and_by_serial():
    """The system disk is the first; each disk is qcow2, as snapshots need, and has a serial."""
    argv = qemu.argv(WEASEL, LAYOUT, BOOT)
    disks = [value for value in options(argv, "device") if value.startswith("virtio-blk")]
    assert [value.rpartition("serial=")[2] for value in disks] == ["system", "data", "spare"]
    assert all("driver=qcow2" in value for value in options(argv, "blockdev"))


def test_grub_boots_the_machine_and_is_no_disk():
    """QEMU names no kernel, initrd or arguments: those are the guest's and GRUB's."""
    argv = qemu.argv(OTTER, LAYOUT, BOOT)
    assert options(argv, "kernel") == ["/lab/disks/otter.grub"]
    assert not {"-initrd", "-append"} & set(argv)
    assert not any("grub" in value for value in options(argv, "blockdev"))


def test_nodes_are_plugged_into_all_segments():
    """eth1 is replication, eth2 path A, eth3 path B; the wire lies between the two nodes."""
    near = options(qemu.argv(WEASEL, LAYOUT, BOOT), "netdev")
    far = options(qemu.argv(OTTER, LAYOUT, BOOT), "netdev")
    assert near[1:] == [
        "vde,id=net-eth1,sock=/lab/net/replication-near",
        "vde,id=net-eth2,sock=/lab/net/path-a-near",
        "vde,id=net-eth3,sock=/lab/net/path-b-near",
    ]
    assert far[1] == "vde,id=net-eth1,sock=/lab/net/replication-far"
    assert far[2:] == near[2:]


def test_client_has_no_replication():
    """badger's second interface has no cable, and the address that the image takes away."""
    argv = qemu.argv(BADGER, LAYOUT, BOOT)
    assert options(argv, "netdev")[1:] == [
        "hubport,id=net-eth1,hubid=1",
        "vde,id=net-eth2,sock=/lab/net/path-a-far",
        "vde,id=net-eth3,sock=/lab/net/path-b-far",
    ]
    macs = [value.split("mac=")[1][:17] for value in options(argv, "device") if "mac=" in value]
    assert macs == [
        "52:54:00:5a:03:00",
        "52:54:00:5a:ff:01",
        "52:54:00:5a:03:02",
        "52:54:00:5a:03:03",
    ]


def test_ssh_is_forwarded_on_loopback_only():
    """Nobody else on the network reaches the lab."""
    first = options(qemu.argv(OTTER, LAYOUT, BOOT), "netdev")[0]
    assert "hostfwd=tcp:127.0.0.1:2201-10.0.2.12:22" in first


def test_serial_cable_joins_the_nodes():
    """Both are plugged into it; the client has a console alone."""
    for node in (WEASEL, OTTER):
        cable = options(qemu.argv(node, LAYOUT, BOOT), "chardev")[1]
        assert cable == "socket,id=cable,path=/lab/net/serial"
    assert len(options(qemu.argv(BADGER, LAYOUT, BOOT), "serial")) == 1


def test_snapshot_is_loaded_paused():
    """A loaded machine waits for the others."""
    assert "-S" not in qemu.argv(WEASEL, LAYOUT, BOOT)
    argv = qemu.argv(WEASEL, LAYOUT, evolve(BOOT, snapshot="bare"))
    assert argv[-3:] == ["-loadvm", "bare", "-S"]


def test_accelerator_is_the_one_that_was_decided():
    """Emulation keeps its translated code small; KVM takes the host's CPU."""
    assert options(qemu.argv(WEASEL, LAYOUT, BOOT), "accel") == ["tcg,thread=multi,tb-size=256"]
    argv = qemu.argv(WEASEL, LAYOUT, evolve(BOOT, accel="kvm"))
    assert (options(argv, "accel"), options(argv, "cpu")) == (["kvm"], ["host"])


def test_memory_of_all_machines_is_under_the_budget():
    """Guest memory and translated code of three machines stay under 4 GiB."""
    assert len(MACHINES) * (MEMORY_MIB + 256) < 4096 - 512


def test_comma_in_a_path_is_a_value():
    """QEMU's own syntax: a comma in a value is doubled."""
    argv = qemu.argv(WEASEL, Layout(Path("/a,b")), BOOT)
    assert options(argv, "netdev")[1] == "vde,id=net-eth1,sock=/a,,b/net/replication-near"


def test_unknown_machine_is_refused_by_name():
    """The sentence says which machines there are."""
    with pytest.raises(LabError, match="no machine 'ferret' in the lab: weasel, otter, badger"):
        machine("ferret")


def test_directory_too_long_for_sockets_is_refused():
    """Better than a socket that QEMU can't bind."""
    with pytest.raises(LabError, match="SAN_LAB_DIR"):
        Layout(Path("/" + "long/" * 20))


def test_interface_of_a_segment():
    """The map works in both directions."""
    assert WEASEL.interface("path-b") == "eth3"
    assert BADGER.interface("replication") is None
    assert isinstance(MACHINES["otter"], Machine)
