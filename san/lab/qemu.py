"""QEMU's command line for a machine (pure: nothing here touches the host)."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from san.lab.layout import Layout
from san.lab.machines import MEMORY_MIB, Machine

# Translated code per machine. QEMU's own default is up to 1 GiB, too much for three machines.
_TRANSLATION_MIB = 256

# Without what is slow to emulate: vector registers of 256 bits in every string function, and a
# fifth level of page tables. Measured on a boot and a few hundred processes: a seventh less CPU.
# And without cmpxchg16b: bookworm-backports' 6.12 corrupts its slabs with QEMU 7.2's, and panics.
_CPU = "max,la57=off,avx=off,avx2=off,cx16=off"

ACCELERATORS: Mapping[str, tuple[str, ...]] = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "tcg": ("-accel", f"tcg,thread=multi,tb-size={_TRANSLATION_MIB}", "-cpu", _CPU),
}


@frozen
class Boot:
    """What a machine is started with."""

    binary: str
    accel: str
    port: int
    snapshot: str | None = None  # load it, and stay paused


def argv(machine: Machine, layout: Layout, boot: Boot) -> list[str]:
    """Return the command that runs `machine` in the foreground."""
    line = [boot.binary, "-name", f"san-lab-{machine.name}", "-nodefaults", "-no-user-config"]
    line += ["-machine", "pc", *ACCELERATORS[boot.accel], "-m", f"{MEMORY_MIB}M", "-smp", "1"]
    line += ["-display", "none", "-rtc", "base=utc,clock=host", "-device", "virtio-rng-pci"]
    line += ["-kernel", str(layout.grub(machine.name))]
    line += ["-qmp", f"unix:{_value(layout.qmp(machine.name))},server=on,wait=off"]
    line += _serial_ports(machine, layout)
    line += _disk("system", layout.disk(machine.name, "system"))
    for disk in machine.disks:
        line += _disk(disk.serial, layout.disk(machine.name, disk.serial))
    line += _interfaces(machine, layout, boot)
    if boot.snapshot:
        line += ["-loadvm", boot.snapshot, "-S"]
    return line


def device(kind: str, name: str) -> str:
    """QEMU's id for a disk (`disk`, serial) or an interface (`nic`, name)."""
    return f"{kind}-{name}"


def side(machine: Machine, segment: str) -> str:
    """Which of a segment's two switches a machine is plugged into; the wire lies between them."""
    apart = "otter" if segment == "replication" else "badger"
    return "far" if machine.name == apart else "near"


def _serial_ports(machine: Machine, layout: Layout) -> list[str]:
    line = ["-chardev", f"file,id=console,path={_value(layout.log(machine.name))},append=on"]
    line += ["-serial", "chardev:console"]
    if machine.name not in ("weasel", "otter"):
        return line
    cable = f"socket,id=cable,path={_value(layout.cable())}"
    return [*line, "-chardev", cable, "-serial", "chardev:cable"]


def _disk(serial: str, path: Path) -> list[str]:
    # The guest's flushes reach the host's page cache, which outlives QEMU: a power cut loses
    # nothing that was flushed, and no test waits for the host's own disk.
    node = f"driver=qcow2,node-name={serial},discard=unmap,cache.no-flush=on"
    return [
        "-blockdev",
        f"{node},file.driver=file,file.filename={_value(path)},file.cache.no-flush=on",
        "-device",
        f"virtio-blk-pci,id={device('disk', serial)},drive={serial},serial={serial}",
    ]


def _interfaces(machine: Machine, layout: Layout, boot: Boot) -> list[str]:
    address = machine.management_address
    forward = f"hostfwd=tcp:127.0.0.1:{boot.port}-{address}:22"
    line = ["-netdev", f"user,id=net-eth0,net=10.0.2.0/24,{forward}"]
    line += _interface(machine, "eth0")
    for interface in ("eth1", "eth2", "eth3"):
        segment = machine.cables.get(interface)
        if segment is None:
            line += ["-netdev", f"hubport,id=net-{interface},hubid={interface[-1]}"]
        else:
            switch = layout.switch(segment, side(machine, segment))
            line += ["-netdev", f"vde,id=net-{interface},sock={_value(switch)}"]
        line += _interface(machine, interface)
    return line


def _interface(machine: Machine, interface: str) -> list[str]:
    name = device("nic", interface)
    mac = machine.mac(interface)
    return ["-device", f"virtio-net-pci,id={name},netdev=net-{interface},mac={mac},romfile="]


def _value(path: Path) -> str:
    """Write a path as a value of QEMU's option syntax, where a comma is doubled."""
    return str(path).replace(",", ",,")
