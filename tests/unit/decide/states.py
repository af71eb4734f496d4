"""Observed states, each as it is at rest unless the test says otherwise."""

from functools import cache

from reference import reference

from san.model import Site
from san.observe.disks import Disk, Signature
from san.observe.drbd import DrbdState
from san.observe.drbd_claims import Claim, Claims
from san.observe.drbd_devices import Device
from san.observe.drbd_generations import Generation
from san.observe.lvm import LogicalVolume, LvmState, PhysicalVolume, VolumeGroup
from san.observe.network import Address, Link, NetworkState
from san.render.firewall import chain

EXTENT = 4 << 20
DISK = "/dev/disk/by-id/virtio-data"
ATTACHED = Claim("r0", None, 0, DISK, "/dev/vdb", size=1 << 29)
NEW, USED = "0000000000000004", "D5CA4B1DD2A0B4CE"


@cache
def firewall():
    """Our table, loaded, of the reference cluster's nodes."""
    return {"firewall": chain(reference()), "firewall_boot": "enabled"}


def checked(cluster):
    """A cluster, checked as an inventory is."""
    return Site((cluster,)).clusters[0]


def disk(*signatures, **parts):
    found = tuple(Signature(kind, 0) for kind in signatures)
    parts = {"exists": True, "block": True, "size": 1 << 30, **parts}
    return Disk(**{"path": DISK, "device": "/dev/vdb", "signatures": found, **parts})


def device(role="Secondary", peer="Secondary", **parts):
    states = {"connection": "Connected", "disk": "UpToDate", "peer_disk": "UpToDate"}
    states = {"replication": None, "out_of_sync": 0, **states, **parts}
    return Device(role=role, peer_role=peer, **states)


def drbd(own=None, *, on=None, generation=None, **parts):
    """DRBD of a node with one resource; bare where `own` is None."""
    if isinstance(generation, str):
        generation = Generation(generation, "0" * 16, ())
    known = {} if generation is None else {"r0": generation}
    return DrbdState(
        **{
            "installed": True,
            "tools_version": "9.22.0",
            "module_version": "8.4.11" if own else None,
            "resource_files": ("r0",) if own else (),
            "devices": {0: own} if own else {},
            "adjust_plan": () if own else None,
            "refusal": None,
            "missing_address": None,
            "generations": known,
            "disks": {"r0": on or disk()},
            "claims": Claims(running=(ATTACHED,) if own and own.disk != "Diskless" else ()),
            **parts,
        }
    )


def lvm(physical=(), logical=(), extent=EXTENT):
    """LVM's state, of pairs of a device and its group, and of triples of group, name and bytes."""
    groups = sorted({group for _, group in physical if group})
    return LvmState(
        installed=True,
        physical_volumes=tuple(
            PhysicalVolume(name, group, size=1 << 30, missing=False) for name, group in physical
        ),
        volume_groups=tuple(
            VolumeGroup(
                group,
                size=1 << 30,
                free=0,
                extent_size=extent,
                pvs=tuple(name for name, on in physical if on == group),
                exported=False,
                partial=False,
            )
            for group in groups
        ),
        logical_volumes=tuple(
            LogicalVolume(group, name, f"/dev/{group}/{name}", size, active=True, open=False)
            for group, name, size in logical
        ),
    )


def network(*, arp_filter=True, up=("eth1", "eth2", "eth3"), mtu=1500, more=None, **addresses):
    """The network of a host with three interfaces beside management."""
    return NetworkState(
        hostname="weasel",
        interfaces={
            name: Link(
                up=name in up or name == "eth0",
                carrier=True,
                mac=None,
                mtu=mtu,
                addresses=tuple(
                    Address(each, secondary=False, label=name, scope="global")
                    for each in addresses.get(name, ())
                ),
                arp_filter=None,
            )
            for name in ("eth0", "eth1", "eth2", "eth3")
        },
        arp_filter_all=arp_filter,
        arp_filter_default=False,
        persistent=(),
        differing=() if arp_filter else ("net/ipv4/conf/all/arp_filter",),
        managers=("systemd-networkd",),
        **(firewall() if more is None else more),
    )
