"""What of a host's network is not in force yet, and who else configures it."""

from collections.abc import Iterator, Mapping

from san.model import SINGLE_HEARTBEAT_LINK, Cluster, Serial
from san.model.cluster import LINKS_WANTED
from san.observe.interface_files import InterfaceFiles
from san.observe.network import FIREWALL, NetworkState
from san.render.firewall import chain
from san.render.network import IFUPDOWN, SYSCTL, host_networks, networkd_file

from .refusal import Refusal


def amiss(cluster: Cluster, name: str, state: NetworkState) -> Iterator[tuple[str, ...]]:
    """The commands (argument lists) that bring into force what the host `name` lacks.

    Interfaces up, their MTU and own addresses, our sysctl file; on a node our table of nftables.
    Nothing is taken away: an address that isn't in the inventory may be a portal, or a user's own.
    """
    host = next(each for each in cluster.hosts if each.name == name)
    is_node = any(node.name == name for node in cluster.nodes)
    cluster = cluster.seen_from(name)
    for network in host_networks(cluster, name):
        own = host.addresses.get(network.name)
        link = state.interfaces.get(network.interface)
        if link is None:
            found = ", ".join(sorted(state.interfaces))
            raise Refusal(
                f"it has no interface {network.interface} for network {network.name!r} "
                f"(there is {found}); correct the network's interface in the inventory"
            )
        portals = is_node and network.role == "storage" and cluster.address_agent == "portal"
        if portals and not link.arp:
            raise Refusal(
                f"{network.interface} has no Ethernet's ARP (ip -d link show {network.interface}), "
                "by which a portal is asked for before it is claimed, and announced; switch it on "
                f'(ip link set {network.interface} arp on), or choose address_agent="IPaddr2", or '
                "another interface"
            )
        if not link.up:
            yield ("ip", "link", "set", network.interface, "up")
        if network.mtu not in (None, link.mtu):
            yield ("ip", "link", "set", network.interface, "mtu", str(network.mtu))
        if own is not None and not link.has(own):
            yield ("ip", "address", "add", own, "broadcast", "+", "dev", network.interface)
    if state.differing:
        yield ("sysctl", "-q", "--load", SYSCTL)
    if is_node:
        _refuse_elsewhere(cluster, host.addresses, state)
        yield from _firewall_amiss(cluster, state)


def _firewall_amiss(cluster: Cluster, state: NetworkState) -> Iterator[tuple[str, ...]]:
    if state.firewall_boot != "enabled":
        yield ("systemctl", "enable", FIREWALL)
    if state.firewall != chain(cluster):
        yield ("systemctl", "reload-or-restart", FIREWALL)


def _refuse_elsewhere(cluster: Cluster, addresses: Mapping[str, str], state: NetworkState) -> None:
    """Raise Refusal where management, which is left as it is found, has another interface.

    DRBD and Heartbeat go by its address; the table of nftables lets them in by its interface.
    """
    used = {each.network for each in cluster.resources}
    used |= {link.medium for link in cluster.heartbeat.peer_links}
    for network in cluster.networks:
        own = addresses.get(network.name)
        if network.role != "management" or network.name not in used or own is None:
            continue
        address = own.partition("/")[0]
        where = [
            name
            for name, link in state.interfaces.items()
            if any(each.interface.partition("/")[0] == address for each in link.addresses)
        ]
        if network.interface not in where:
            raise Refusal(
                f"{address} of network {network.name!r} is on {', '.join(where) or 'no interface'} "
                f"there, not on {network.interface}; correct the network's interface in the "
                "inventory"
            )


def contested(cluster: Cluster, name: str, state: NetworkState) -> str | None:
    """What else configures an interface of ours on the host `name` at boot, if anything does.

    Of several files networkd takes the first by name and leaves the others out: ours, and the host
    has no replication address after its next boot; or an operator's, and what else that sets (a
    VLAN, a route) is gone. ifupdown takes all, and fails at the second.
    """
    for network in host_networks(cluster.seen_from(name), name):
        interface = network.interface
        by_ifupdown = state.manager_of(interface) == "ifupdown"
        reason = (_second_stanza if by_ifupdown else _second_file)(interface, state.files)
        if reason is not None:
            return reason
    return None


def _second_stanza(interface: str, files: InterfaceFiles) -> str | None:
    if not files.read_by_ifupdown(IFUPDOWN):
        return (
            f"ifupdown doesn't read {IFUPDOWN}: {interface} would be without its address after a "
            "boot; add to /etc/network/interfaces: source /etc/network/interfaces.d/*"
        )
    others = [file for file in files.addressed.get(interface, ()) if file != IFUPDOWN]
    if others:
        return (
            f"{interface} has a stanza with an address in {others[0]} too, and a boot would "
            f"configure it twice; write `iface {interface} inet manual` there, without the "
            "address (lines that make the interface, such as bond-… or bridge_…, stay), and run "
            "again"
        )
    return None


def _second_file(interface: str, files: InterfaceFiles) -> str | None:
    ours = networkd_file(interface)
    others = [
        file
        for file in files.claimed.get(interface, ())
        if file != ours and not (file in files.patterned and _name(file) > _name(ours))
    ]
    chosen = files.in_force.get(interface)
    if chosen is not None and not _gives_way(chosen, ours):
        others.insert(0, chosen)
    if others:
        return (
            f"{interface} is configured by {others[0]} too, and networkd takes only the first file "
            f"by name; {_leave_alone(interface, others[0], files)}; what it sets besides can stand "
            f"in a drop-in of ours ({ours}.d/)"
        )
    return None


def _leave_alone(interface: str, path: str, files: InterfaceFiles) -> str:
    """How that file is kept from the interface, and nothing else with it."""
    if path.startswith("/run/"):
        writer = (
            "take it out of /etc/netplan/*.yaml, and run `netplan generate`"
            if "netplan" in path
            else "find what writes that file at each boot, and let it leave the interface alone"
        )
        return f"{writer} (a boot writes {path} anew)"
    others = [name for name, claim in files.claimed.items() if path in claim and name != interface]
    if others:
        return f"narrow its [Match], and leave the file: it is that of {', '.join(others)} too"
    return f"let it leave {interface} alone (its [Match]), or take it away"


def _gives_way(chosen: str, ours: str) -> bool:
    """Whether `chosen`, which networkd has in force, is ours or gives way to it."""
    distributions = chosen.startswith(("/usr/lib/", "/lib/"))
    return chosen == ours or (distributions and _name(chosen) > _name(ours))


def _name(path: str) -> str:
    """By which networkd sorts its files, whatever their directory."""
    return path.rpartition("/")[2]


def not_in_force(cluster: Cluster, name: str, state: NetworkState) -> str | None:
    """Which interface of the host `name` networkd has another file in force for than ours.

    Without D-Bus it reads its files at the next boot, and there is nothing to wait for; `contested`
    has judged what it will find.
    """
    if not state.reloads:
        return None
    for network in host_networks(cluster.seen_from(name), name):
        chosen = state.files.in_force.get(network.interface)
        ours = networkd_file(network.interface)
        if state.manager_of(network.interface) == "systemd-networkd" and chosen != ours:
            return (
                f"networkd has {chosen or 'no file'} in force for {network.interface}, not {ours}; "
                f"look at: networkctl status {network.interface}"
            )
    return None


def apart(cluster: Cluster, state: NetworkState) -> None:
    """Raise Refusal where Heartbeat's links aren't there as declared: no such port, or one card.

    The inventory has names; which of them share a card only the node knows.
    """
    for link in cluster.heartbeat.links:
        if isinstance(link, Serial) and link.device not in state.serial_ports:
            found = ", ".join(state.serial_ports) or "none"
            raise Refusal(
                f"it has no serial port {link.device} for Heartbeat (there is {found}); correct "
                "heartbeat.links in the inventory, or plug in what is missing"
            )
    cables = {network.name: state.cable_of(network.interface) for network in cluster.networks}
    media = {cables.get(link.medium, link.medium) for link in cluster.heartbeat.peer_links}
    if len(media) < LINKS_WANTED and SINGLE_HEARTBEAT_LINK not in cluster.acknowledged:
        raise Refusal(
            f"all of Heartbeat's links go over {media.pop()} there: one broken cable makes both "
            "nodes serve; add a link over another card to heartbeat.links, or accept it with "
            f"acknowledged=({SINGLE_HEARTBEAT_LINK!r},)"
        )


def manager(cluster: Cluster, state: NetworkState) -> str:
    """What configures the cluster's interfaces at boot: `systemd-networkd` or `ifupdown`."""
    for network in cluster.networks:
        if network.role == "management":
            continue
        found = state.manager_of(network.interface)
        if found in {"systemd-networkd", "ifupdown"}:
            return found
        raise Refusal(
            f"{network.interface} is managed by {found or 'nothing that runs'}; let "
            "systemd-networkd or ifupdown manage the cluster's interfaces, and run again"
        )
    return "systemd-networkd"
