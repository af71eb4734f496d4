"""What of a host's network is not in force yet."""

from collections.abc import Iterator

from san.model import Cluster
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
