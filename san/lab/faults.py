"""Cables pulled, disks that fail, slow segments: put in force on machines that run."""

from collections.abc import Iterable

from san.lab import qmp, segments
from san.lab.errors import LabError
from san.lab.layout import Layout
from san.lab.machines import SEGMENTS, SERIAL, WEASEL, check_segment, machine
from san.lab.qemu import device
from san.lab.state import Faults

_EIO = 5


def link(host: str, segment: str) -> str:
    """Name the cable from `host` to `segment`; refuse one that doesn't exist."""
    check_segment(segment)
    if machine(host).interface(segment) is None:
        msg = f"{host} has no cable to {segment}"
        raise LabError(msg)
    return f"{host} {segment}"


def disk(host: str, serial: str) -> str:
    """Name a data disk of `host`; refuse one that doesn't exist."""
    serials = [known.serial for known in machine(host).disks]
    if serial not in serials:
        msg = f"{host} has no disk '{serial}' (it has: {', '.join(serials) or 'none'})"
        raise LabError(msg)
    return f"{host} {serial}"


def apply_to_machine(layout: Layout, host: str, faults: Faults) -> None:
    """Make a machine's cables and disks be as `faults` says."""
    this = machine(host)
    control = layout.qmp(host)
    for interface, segment in this.cables.items():
        up = link(host, segment) not in faults.cut
        qmp.execute(control, "set_link", {"name": device("nic", interface), "up": up})
    for known in this.disks:
        _set_disk(layout, host, known.serial, broken=disk(host, known.serial) in faults.broken)
    if this is WEASEL:
        _set_serial(layout, up=SERIAL not in faults.cut)


def apply_to_segments(layout: Layout, faults: Faults, chosen: Iterable[str] = SEGMENTS) -> None:
    """Make the segments be as fast as `faults` says."""
    for segment in chosen:
        segments.set_delay(layout, segment, faults.delay_ms.get(segment, 0))
        segments.set_bandwidth(layout, segment, faults.bandwidth_mbit.get(segment, 0))


def _set_serial(layout: Layout, *, up: bool) -> None:
    """Plug weasel's end of the serial cable in or out."""
    control = layout.qmp(WEASEL.name)
    devices = qmp.execute(control, "query-chardev")
    assert isinstance(devices, list)  # noqa: S101 (QMP's schema)
    (now,) = (known["filename"] for known in devices if known["label"] == "cable")
    if up == (now != "null"):
        return
    address = {"type": "unix", "data": {"path": str(layout.cable())}}
    backend: dict[str, object] = {"type": "null", "data": {}}
    if up:
        backend = {"type": "socket", "data": {"addr": address, "server": False}}
    qmp.execute(control, "chardev-change", {"id": "cable", "backend": backend})


def _set_disk(layout: Layout, host: str, serial: str, *, broken: bool) -> None:
    """Put a node that fails every request between the device and its image, or take it away."""
    control = layout.qmp(host)
    failing = f"{serial}-failing"
    nodes = qmp.execute(control, "query-named-block-nodes", {"flat": True})
    assert isinstance(nodes, list)  # noqa: S101 (QMP's schema)
    there = any(node["node-name"] == failing for node in nodes)
    if broken == there:
        return
    if broken:
        error = {"event": "none", "errno": _EIO, "immediately": True}
        node = {"driver": "blkdebug", "node-name": failing, "image": serial}
        qmp.execute(control, "blockdev-add", {**node, "inject-error": [error]})
        _plug(layout, host, serial, failing)
    else:
        _plug(layout, host, serial, serial)
        qmp.execute(control, "blockdev-del", {"node-name": failing})


def _plug(layout: Layout, host: str, serial: str, node: str) -> None:
    path = f"/machine/peripheral/{device('disk', serial)}"
    qmp.execute(layout.qmp(host), "qom-set", {"path": path, "property": "drive", "value": node})
