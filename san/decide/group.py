"""The resource group that Heartbeat moves, and what of it the serving node lacks."""

from collections.abc import Iterator

import attrs

from san.model import Cluster
from san.observe.drbd import DrbdState
from san.observe.lvm import LvmState
from san.observe.network import NetworkState
from san.render.haresources import resources

PORTAL_SCRIPTS = ("IPaddr", "IPaddr2", "portal")


@attrs.frozen
class Holdings:
    """What a node says of the parts of the group."""

    drbd: DrbdState
    lvm: LvmState
    network: NetworkState
    targets_served: bool


def lacking(cluster: Cluster, holdings: Holdings) -> Iterator[tuple[str, ...]]:
    """The resources (script and arguments) that the serving node doesn't hold, in start order."""
    for resource in resources(cluster):
        script, *arguments = resource.split("::")
        if not _held(cluster, script, arguments, holdings):
            yield (script, *arguments)


def absent_portals(cluster: Cluster, network: NetworkState) -> Iterator[tuple[str, ...]]:
    """Those of the resources that are a portal whose address isn't on the node."""
    for resource in resources(cluster):
        script, *arguments = resource.split("::")
        if script in PORTAL_SCRIPTS and not _on_link(arguments[0], network):
            yield (script, *arguments)


def _held(cluster: Cluster, script: str, arguments: list[str], holdings: Holdings) -> bool:
    match script:
        case "drbd-primary" | "drbddisk":
            device = holdings.drbd.devices.get(cluster.resource(arguments[0]).minor)
            return device is not None and device.role == "Primary"
        case "LVM" | "volume-group":
            # Those declared: what else a person keeps in the group (a thin snapshot, which LVM
            # activates when it is asked for by name alone) is nobody's to wait for.
            group = next(each for each in cluster.volume_groups if each.name == arguments[0])
            found = [holdings.lvm.lv(group.name, volume.name) for volume in group.volumes]
            return all(each is not None and each.active for each in found)
        case "IPaddr" | "IPaddr2" | "portal":
            return _on_link(arguments[0], holdings.network)
        case "arp_filter":
            return holdings.network.arp_filter_all
        case "iscsi-target":
            return holdings.targets_served
        case _:
            raise AssertionError(script)


def _on_link(portal: str, network: NetworkState) -> bool:
    """Whether the address of `192.168.1.1/24/eth2` is on that interface."""
    address, prefix, interface = portal.split("/")
    link = network.interfaces.get(interface)
    return link is not None and link.has(f"{address}/{prefix}")
