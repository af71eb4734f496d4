"""The reference cluster's hardware: who has which disks, interfaces and cables."""

from collections.abc import Mapping

from attrs import field, frozen

from san.lab.errors import LabError

SEGMENTS = ("replication", "path-a", "path-b")
SERIAL = "serial"  # the cable between both nodes' ttyS1: no segment, a cable all the same
MEMORY_MIB = 768


@frozen
class Disk:
    """A blank disk; the guest finds it as /dev/disk/by-id/virtio-SERIAL."""

    serial: str
    size_mib: int


@frozen
class Machine:
    """One machine of the lab; `number` makes its addresses, `cables` maps interface to segment."""

    name: str
    number: int
    cables: Mapping[str, str]
    disks: tuple[Disk, ...] = field(default=())

    @property
    def management_address(self) -> str:
        """Address of eth0 in QEMU's user network, which every machine has to itself."""
        return f"10.0.2.{10 + self.number}"

    def mac(self, interface: str) -> str:
        """MAC address of `interface` (eth0 to eth3)."""
        # A machine without the interface still has the slot: the image's udev rule takes it away.
        present = interface == "eth0" or interface in self.cables
        return f"52:54:00:5a:{self.number if present else 0xFF:02x}:{int(interface[-1]):02x}"

    def interface(self, segment: str) -> str | None:
        """Return the interface plugged into `segment`, or None."""
        return next((name for name, on in self.cables.items() if on == segment), None)


_NODE_CABLES = {"eth1": "replication", "eth2": "path-a", "eth3": "path-b"}
_NODE_DISKS = (Disk("data", 1024), Disk("spare", 256))

WEASEL = Machine("weasel", 1, _NODE_CABLES, _NODE_DISKS)
OTTER = Machine("otter", 2, _NODE_CABLES, _NODE_DISKS)
BADGER = Machine("badger", 3, {"eth2": "path-a", "eth3": "path-b"})

MACHINES: Mapping[str, Machine] = {m.name: m for m in (WEASEL, OTTER, BADGER)}

BMCS = (WEASEL.name, OTTER.name)
"""The machines that have a BMC: the nodes."""


def machine(name: str) -> Machine:
    """Return the machine called `name`."""
    if name not in MACHINES:
        msg = f"there is no machine '{name}' in the lab: {', '.join(MACHINES)}"
        raise LabError(msg)
    return MACHINES[name]


def check_bmc(name: str) -> None:
    """Refuse a machine that has no BMC."""
    if machine(name).name not in BMCS:
        msg = f"{name} has no BMC (these have one: {', '.join(BMCS)})"
        raise LabError(msg)


def check_segment(segment: str) -> None:
    """Refuse a segment that the lab doesn't have."""
    if segment not in SEGMENTS:
        msg = f"there is no segment '{segment}' in the lab: {', '.join(SEGMENTS)}"
        raise LabError(msg)
