"""Networks: interfaces that are up at boot with or without an own address, and ARP in its place."""

from san.model import Client, Cluster, Network

from .file import File, public
from .firewall import firewall_files
from .template import text

MANAGERS = ("systemd-networkd", "ifupdown")
SYSCTL = "/etc/sysctl.d/60-san.conf"
IFUPDOWN = "/etc/network/interfaces.d/san"


def host_networks(cluster: Cluster, host: str) -> tuple[Network, ...]:
    """The networks of `host` that are ours to configure; management is left as it is found.

    A node has all of them, with an own address or without; a client those where it has an address.
    """
    clients: dict[str, Client] = {client.name: client for client in cluster.clients}
    ours = tuple(network for network in cluster.networks if network.role != "management")
    if host in clients:
        return tuple(network for network in ours if network.name in clients[host].addresses)
    return ours


def networkd_file(interface: str) -> str:
    """Where networkd finds what we say of `interface`."""
    return f"/etc/systemd/network/50-san-{interface}.network"


def sysctl_conf(cluster: Cluster, host: str) -> str:
    """/etc/sysctl.d/60-san.conf of `host`."""
    storage = [n.interface for n in host_networks(cluster, host) if n.role == "storage"]
    node = host in {each.name for each in cluster.nodes}
    stock = node and cluster.address_agent != "portal"
    return text(
        "network/60-san.conf", interfaces=storage, node=node, stock=stock, timing=cluster.timing
    )


def arp_filter_script(cluster: Cluster) -> str:
    """/etc/ha.d/resource.d/arp_filter; the same on both nodes."""
    storage = [network.interface for network in cluster.storage_networks]
    return text("resource.d/arp_filter", interfaces=["all", *storage])


def network_files(cluster: Cluster, host: str, manager: str) -> tuple[File, ...]:
    """The interfaces of `host`, as `manager` (one of MANAGERS) reads them, and the kernel's.

    On a node also who reaches its services.
    """
    own = next(one for one in cluster.hosts if one.name == host).addresses
    interfaces = [(network, own.get(network.name)) for network in host_networks(cluster, host)]
    others = [public(SYSCTL, sysctl_conf(cluster, host), "network")]
    if host in {node.name for node in cluster.nodes}:
        others += firewall_files(cluster)
    if manager == "ifupdown":
        content = text("network/interfaces", interfaces=interfaces)
        return (public(IFUPDOWN, content, "network"), *others)
    if manager == "systemd-networkd":
        return (
            *(
                public(
                    networkd_file(network.interface),
                    text("network/networkd.network", network=network, address=address),
                    "network",
                )
                for network, address in interfaces
            ),
            *others,
        )
    raise ValueError(f"{manager!r} is not one of {', '.join(MANAGERS)}")
