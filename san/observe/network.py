"""Links, addresses and ARP settings of a host (`ip -json address show`, /proc/sys, sysctl.d)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from . import interface_files, services
from .interface_files import InterfaceFiles
from .sections import UnreadableError, split

Manager = Literal["systemd-networkd", "ifupdown", "NetworkManager"]
"""What configures interfaces at boot."""

SYSCTL_FILES = (
    "/usr/lib/sysctl.d/*.conf",
    "/run/sysctl.d/*.conf",
    "/etc/sysctl.d/*.conf",
    "/etc/sysctl.conf",
)
"""Where arp_filter is looked for."""

DAEMONS = ("systemd-network", "NetworkManager")
"""Process names as the kernel cuts them, at 15 bytes (proc_pid_comm(5))."""

BUS = "/run/dbus/system_bus_socket"
"""By which networkctl(1) reaches networkd."""

FIREWALL = "san-firewall.service"
"""Ours: it loads our table of nftables at boot."""

FIREWALL_TABLE = "inet san"

UNITS = ("systemd-networkd.service", "networking.service", "NetworkManager.service", FIREWALL)

_TABLE = "nft "
"""Before each line of our table as nft lists it."""

_ARP_FILTER = re.compile(
    r"-?net(?P<first>[./])ipv4[./]conf[./](?P<interface>[^=\s]+)[./]arp_filter\s*=\s*(?P<value>\S+)"
)
_SWAP = str.maketrans("./", "/.")
"""A key whose first separator is a dot has dots and slashes interchanged (sysctl.d(5))."""


@attrs.frozen
class Address:
    """An address on a link."""

    interface: str
    """With its prefix length: 192.168.1.1/24, fe80::1/64."""
    secondary: bool
    """Whether another address of the same subnet came first (IFA_F_SECONDARY)."""
    label: str | None
    """`eth2` or an alias such as `eth2:0`; an IPv6 address has none."""
    scope: str


@attrs.frozen
class Link:
    """A network interface."""

    up: bool
    """Set up by its administrator (IFF_UP)."""
    carrier: bool
    """A cable with something at its other end (IFF_LOWER_UP); always False while not `up`."""
    mac: str | None
    mtu: int
    """Bytes."""
    addresses: tuple[Address, ...]
    """In the kernel's order."""
    arp_filter: bool | None
    """In force on this interface itself; `all` counts too. None: the kernel has no such setting."""
    arp: bool = True
    """Neighbours are found by Ethernet's ARP."""
    below: str | None = None
    """The interface that a VLAN lies on."""

    def has(self, address: str) -> bool:
        """Whether `address`, with its prefix length, is on this link."""
        return any(own.interface == address for own in self.addresses)


@attrs.frozen
class ArpFilterSetting:
    """A line of a sysctl file: what a boot will set."""

    file: str
    interface: str
    """`all`, `default`, a name, or a pattern such as `*` (sysctl.d(5))."""
    value: str


@attrs.frozen
class NetworkState:
    """A host's network as it is now, and what a boot will make of ARP."""

    hostname: str
    """What `uname -n` prints."""
    interfaces: Mapping[str, Link]
    arp_filter_all: bool
    """In force on every interface, whatever its own setting (ip-sysctl.txt: max of both)."""
    arp_filter_default: bool
    """What an interface starts with that appears from now on."""
    persistent: tuple[ArpFilterSetting, ...]
    """In the order of the files as they are listed, which is not the order of precedence."""
    differing: tuple[str, ...]
    """Keys of our own sysctl file that the kernel has another value for."""
    managers: tuple[Manager, ...]
    """Active now, or (ifupdown) enabled at boot; more than one is not rare."""
    serial_ports: tuple[str, ...] = ()
    """Devices of those that are really there, and their names below /dev/serial."""
    files: InterfaceFiles = attrs.field(factory=InterfaceFiles)
    """What a boot configures them by."""
    reloads: bool = False
    """networkd can be told to read its files anew: the host has D-Bus."""
    firewall: tuple[str, ...] = ()
    """The lines of our table of nftables that are in force; empty where it isn't there."""
    firewall_boot: services.Boot = "absent"
    """What the unit that loads it does at boot."""

    def cable_of(self, interface: str) -> str:
        """The card, or the bond of cards, below an interface: what breaks breaks all above it."""
        seen = {interface}
        while (link := self.interfaces.get(interface)) and link.below and link.below not in seen:
            interface = link.below  # a veth's other end is no card below it, and leads back
            seen.add(interface)
        return interface

    def manager_of(self, interface: str) -> Manager | None:
        """Which of `managers` configures `interface`, or would if it were asked to."""
        if "ifupdown" in self.managers and interface in self.files.stanzas:
            return "ifupdown"
        return next((name for name in self.managers if name != "ifupdown"), None) or next(
            iter(self.managers), None
        )

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def parse(output: Iterable[str]) -> NetworkState:
    """Read the section `network` of the fact `facts.network.Network`."""
    section = split(output).get("network")
    if section is None:
        raise UnreadableError("the network's answer lacks its part")
    lines = section.lines
    if section.status:
        raise UnreadableError(f"ip failed with status {section.status}: {section.text.strip()}")
    arp_filter = {name: value != "0" for kind, name, value in _words(lines) if kind == "arp_filter"}
    hostname = next((name for kind, name, _ in _words(lines) if kind == "hostname"), "")
    if not hostname or not {"all", "default"} <= arp_filter.keys():
        raise UnreadableError("/proc/sys can't be read: no hostname, or no arp_filter, is there")
    interfaces = parse_links(lines[0], arp_filter)
    files = interface_files.parse(lines, json.loads(lines[0]))
    found = services.parse(lines)
    return NetworkState(
        hostname=hostname,
        interfaces=interfaces,
        arp_filter_all=arp_filter["all"],
        arp_filter_default=arp_filter["default"],
        persistent=tuple(_persistent(lines)),
        differing=tuple(_differing(lines)),
        managers=tuple(_managers(found, has_stanzas=bool(files.stanzas))),
        serial_ports=tuple(name for kind, name, _ in _words(lines) if kind == "serial"),
        files=files,
        reloads="bus" in lines,
        firewall=tuple(_table(lines)),
        firewall_boot=found.boot.get(FIREWALL, "absent"),
    )


def parse_links(text: str, arp_filter: Mapping[str, bool]) -> dict[str, Link]:
    """Read `ip -json address show`, one line; `arp_filter` says what is in force by interface.

    Example (shortened)::

        [{"ifname": "eth0", "flags": ["BROADCAST", "UP", "LOWER_UP"], "mtu": 1400,
          "link_type": "ether", "address": "02:fc:00:00:00:01", "addr_info": [{"family": "inet",
          "local": "192.0.2.2", "prefixlen": 24, "scope": "global", "label": "eth0"}]}]
    """
    try:
        found = json.loads(text)
        return {
            str(entry["ifname"]): _link(entry, arp_filter.get(entry["ifname"])) for entry in found
        }
    except (ValueError, TypeError, KeyError) as problem:
        raise UnreadableError(f"ip printed no list of links: {problem!r}") from None


def _link(entry: Mapping[str, Any], arp_filter: bool | None) -> Link:
    flags = entry["flags"]
    return Link(
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        mac=entry.get("address"),
        mtu=int(entry["mtu"]),
        addresses=tuple(
            Address(
                interface=f"{info['local']}/{info['prefixlen']}",
                secondary=bool(info.get("secondary", False)),
                label=info.get("label"),
                scope=info["scope"],
            )
            for info in entry["addr_info"]
        ),
        arp_filter=arp_filter,
        arp=entry["link_type"] == "ether" and "NOARP" not in flags,
        below=entry.get("link"),
    )


def _words(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The lines of one kind, a name and, for some, a value."""
    for line in lines:
        kind, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        yield kind, name, value


def _persistent(lines: Iterable[str]) -> Iterator[ArpFilterSetting]:
    for line in lines:
        file, colon, text = line.partition(":")
        if colon and (setting := _ARP_FILTER.fullmatch(text.strip())):
            name = setting["interface"]
            if setting["first"] == ".":
                name = name.translate(_SWAP)
            yield ArpFilterSetting(file, name, setting["value"])


def _differing(lines: Iterable[str]) -> Iterator[str]:
    """The keys of `setting KEY VALUE` for which no line is `/proc/sys/KEY:VALUE`."""
    known = tuple(lines)
    for kind, key, value in _words(known):
        if kind == "setting" and f"/proc/sys/{key}:{value}" not in known:
            yield key


def _table(lines: Iterable[str]) -> Iterator[str]:
    """The rules of our table's one chain, and what heads it; not the braces around them."""
    for line in lines:
        text = line.removeprefix(_TABLE).strip()
        if line.startswith(_TABLE) and text not in ("", "}", f"table {FIREWALL_TABLE} {{"):
            yield text


def _managers(found: services.Services, *, has_stanzas: bool) -> Iterator[Manager]:
    if "systemd-network" in found.running:
        yield "systemd-networkd"
    if "NetworkManager" in found.running:
        yield "NetworkManager"
    if found.enabled("networking.service") and (has_stanzas or not found.running):
        yield "ifupdown"
