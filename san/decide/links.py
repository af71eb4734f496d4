"""What of a host's network is not in force yet."""

from collections.abc import Iterator

from san.model import SINGLE_HEARTBEAT_LINK, Cluster, Serial
from san.model.cluster import LINKS_WANTED
from san.observe.network import NetworkState

from .refusal import Refusal


def amiss(cluster: Cluster, name: str, state: NetworkState) -> Iterator[tuple[str, ...]]:
    """The commands (argument lists) that bring into force what the host `name` lacks.

    Interfaces up, their own addresses, arp_filter. Nothing is taken away: an address that isn't
    in the inventory may be a portal, or a user's own.
    """
    host = next(each for each in cluster.hosts if each.name == name)
    is_node = any(node.name == name for node in cluster.nodes)
    for network in cluster.networks:
        own = host.addresses.get(network.name)
        if network.role == "management" or (own is None and not is_node):
            continue
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
        if own is not None and not link.has(own):
            yield ("ip", "address", "add", own, "broadcast", "+", "dev", network.interface)
    if is_node and not state.arp_filter_all:
        yield ("sysctl", "-q", "net.ipv4.conf.all.arp_filter=1")


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
