"""A cluster: two nodes, what they serve, and the clients that use it."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface
from itertools import combinations

import attrs

from . import text
from .declare import a, declared, duplicates, many, mapping, one_of
from .heartbeat import Heartbeat, Ping, Serial
from .network import Network, Portal, address
from .problem import Problem
from .storage import DrbdResource, VolumeGroup
from .target import Target

SINGLE_HEARTBEAT_LINK = "single-heartbeat-link"
"""The warning that fewer than two links join the nodes: one broken cable is then a split brain."""

WARNINGS = (SINGLE_HEARTBEAT_LINK,)

_addresses = mapping(text.token, address, "an address with its prefix for each network by name")


def _ssh(value: object) -> str | None:
    if isinstance(value, Mapping) and all(
        isinstance(key, str) and key.startswith("ssh_") for key in value
    ):
        return None
    return "it is not a mapping of pyinfra's ssh_… connector data, such as {'ssh_user': 'root'}"


@attrs.frozen
class Node:
    """A storage node, by what `uname -n` prints there."""

    name: str = declared(text.uname)
    addresses: Mapping[str, str] = declared(_addresses, factory=dict)
    """Its own addresses by network; a storage network may go without."""
    ssh: Mapping[str, object] = declared(_ssh, factory=dict)
    """pyinfra's connector data for it (ssh_hostname, ssh_user, ssh_config_file, …)."""


@attrs.frozen
class Client:
    """A client (initiator): logs in to every portal and sees each LUN once, through multipath."""

    name: str = declared(text.uname)
    iqn: str = declared(text.iscsi_name)
    addresses: Mapping[str, str] = declared(_addresses, factory=dict)
    ssh: Mapping[str, object] = declared(_ssh, factory=dict)


@attrs.frozen
class Cluster:
    """Two nodes that serve the same targets, one at a time. Names of things are unique in it."""

    name: str = declared(text.token)
    nodes: tuple[Node, ...] = declared(many(Node, "Nodes"))
    """The first is preferred: haresources names it, and it serves a new cluster first."""
    networks: tuple[Network, ...] = declared(many(Network, "Networks", least=1))
    resources: tuple[DrbdResource, ...] = declared(many(DrbdResource, "DrbdResources", least=1))
    volume_groups: tuple[VolumeGroup, ...] = declared(many(VolumeGroup, "VolumeGroups", least=1))
    portals: tuple[Portal, ...] = declared(many(Portal, "Portals", least=1))
    targets: tuple[Target, ...] = declared(many(Target, "Targets", least=1))
    heartbeat: Heartbeat = declared(a(Heartbeat, "a Heartbeat"))
    clients: tuple[Client, ...] = declared(many(Client, "Clients"), default=())
    target_software: str = declared(one_of("stgt", "iet"), default="stgt")
    address_agent: str = declared(one_of("IPaddr", "IPaddr2"), default="IPaddr2")
    """The resource script of the portals. IPaddr is the guide's; it needs ifconfig (net-tools)."""
    acknowledged: tuple[str, ...] = declared(many(str, "names of warnings"), default=())
    """Warnings that you have read and accept, by name."""

    @property
    def preferred(self) -> Node:
        """The node that serves a new cluster first."""
        return self.nodes[0]

    @property
    def hosts(self) -> tuple[Node | Client, ...]:
        """The nodes and the clients."""
        return (*self.nodes, *self.clients)

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)

    def peer(self, name: str) -> Node:
        """The other node."""
        return next(node for node in self.nodes if node.name != name)

    def network(self, name: str) -> Network:
        """The network of that name."""
        return next(network for network in self.networks if network.name == name)

    def resource(self, name: str) -> DrbdResource:
        """The DRBD resource of that name."""
        return next(resource for resource in self.resources if resource.name == name)

    def network_of(self, portal: Portal) -> Network:
        """The storage network that `portal` is on."""
        return next(network for network in self.storage_networks if network.holds(portal.address))

    @property
    def storage_networks(self) -> tuple[Network, ...]:
        """The clients' paths."""
        return tuple(network for network in self.networks if network.role == "storage")

    def problems(self) -> Iterator[Problem]:
        """What only the whole cluster shows."""
        if len(self.nodes) != 2:  # noqa: PLR2004 (DRBD 8.4, haresources: a pair)
            yield Problem("nodes", f"it has {len(self.nodes)} nodes; a cluster has exactly two")
            return
        found = list(self._names())
        yield from found
        if found:
            return
        yield from self._addresses()
        yield from self._links()
        yield from self._volumes()
        yield from self._portals()
        yield from self._targets()

    def _names(self) -> Iterator[Problem]:
        for field in ("networks", "resources", "volume_groups", "targets"):
            for name in duplicates([part.name for part in getattr(self, field)]):
                yield Problem(field, f"{name!r} is there twice; give each its own name")
        for name in duplicates([host.name for host in self.hosts]):
            yield Problem("nodes", f"{name!r} names two hosts; each has its own `uname -n`")
        for name in duplicates([client.iqn for client in self.clients]):
            yield Problem("clients", f"{name!r} is two clients' iqn; give each its own")
        for name in duplicates([network.interface for network in self.networks]):
            yield Problem("networks", f"{name!r} is the interface of two networks")
        for index, name in enumerate(self.acknowledged):
            if name not in WARNINGS:
                yield Problem(
                    f"acknowledged[{index}]",
                    f"{name!r} is not a warning; there is {', '.join(WARNINGS)}",
                )

    def _addresses(self) -> Iterator[Problem]:
        networks = {network.name: network for network in self.networks}
        seen: dict[str, str] = {}
        for index, host in enumerate(self.hosts):
            place = f"nodes[{index}]" if index < len(self.nodes) else f"clients[{index - 2}]"
            for name, own in host.addresses.items():
                path = f"{place}.addresses[{name!r}]"
                ip = str(IPv4Interface(own).ip)
                network = networks.get(name)
                if network is None:
                    yield Problem(path, f"there is no network {name!r}")
                elif network.subnet is not None and not network.holds(own):
                    yield Problem(path, f"{own} is not of {name}'s subnet {network.subnet}")
                elif (ip, name) in seen.items():
                    yield Problem(path, f"{ip} is another host's address too")
                seen[ip] = name
        for index, network in enumerate(self.networks):
            if network.role != "management" and network.subnet is None:
                yield Problem(f"networks[{index}].subnet", "it is missing; write its subnet")

    def _replicated(self, name: str, path: str) -> Iterator[Problem]:
        """`name` is a network on which both nodes have an address."""
        if name not in {network.name for network in self.networks}:
            yield Problem(path, f"there is no network {name!r}")
            return
        for node in self.nodes:
            if name not in node.addresses:
                yield Problem(path, f"{node.name} has no address on {name}; give it one")

    def _links(self) -> Iterator[Problem]:
        for index, link in enumerate(self.heartbeat.links):
            if not isinstance(link, Serial | Ping):
                yield from self._replicated(link.network, f"heartbeat.links[{index}].network")
        count = len(set(self.heartbeat.peer_links))
        if count < 2 and SINGLE_HEARTBEAT_LINK not in self.acknowledged:  # noqa: PLR2004 (two links)
            yield Problem(
                "heartbeat.links",
                f"{count} link joins the nodes: one broken cable makes both of them serve; add "
                f"one, or accept it with acknowledged=({SINGLE_HEARTBEAT_LINK!r},)",
            )

    def _volumes(self) -> Iterator[Problem]:
        names = {resource.name for resource in self.resources}
        users: dict[str, str] = {}
        for index, resource in enumerate(self.resources):
            path = f"resources[{index}]"
            yield from self._replicated(resource.network, f"{path}.network")
            if isinstance(resource.disk, Mapping):
                wanted = {node.name for node in self.nodes}
                if set(resource.disk) != wanted:
                    yield Problem(f"{path}.disk", f"name a disk for each of {sorted(wanted)}")
                    continue
            for node in self.nodes:
                if resource.disk_of(node.name).startswith("/dev/drbd"):
                    yield Problem(f"{path}.disk", "a DRBD device can't be its own backing disk")
        for key in ("minor", "port"):
            for value in duplicates([str(getattr(r, key)) for r in self.resources]):
                yield Problem("resources", f"{key} {value} is there twice")
        for node in self.nodes:
            sound = [r for r in self.resources if isinstance(r.disk, str) or node.name in r.disk]
            for disk in duplicates([resource.disk_of(node.name) for resource in sound]):
                yield Problem("resources", f"{disk} of {node.name} backs two resources")
        for index, group in enumerate(self.volume_groups):
            for position, name in enumerate(group.resources):
                path = f"volume_groups[{index}].resources[{position}]"
                if name not in names:
                    yield Problem(path, f"there is no DRBD resource {name!r}")
                elif name in users:
                    yield Problem(path, f"{name!r} already belongs to {users[name]!r}")
                users.setdefault(name, group.name)
            for resource in self.resources:
                for node in self.nodes:
                    own = isinstance(resource.disk, str) or node.name in resource.disk
                    if own and resource.disk_of(node.name).startswith(f"/dev/{group.name}/"):
                        yield Problem(
                            f"volume_groups[{index}]",
                            f"it is circular: {resource.name} lies on a volume of {group.name}",
                        )

    def _portals(self) -> Iterator[Problem]:
        own = {
            str(IPv4Interface(value).ip): host.name
            for host in self.hosts
            for value in host.addresses.values()
        }
        for index, portal in enumerate(self.portals):
            path = f"portals[{index}].address"
            if not any(network.holds(portal.address) for network in self.storage_networks):
                yield Problem(path, f"{portal.address} is outside every storage network's subnet")
            if portal.ip in own:
                yield Problem(path, f"{portal.ip} is {own[portal.ip]}'s own address")
        for (i, one), (j, two) in combinations(enumerate(self.portals), 2):
            nets = IPv4Interface(one.address).network, IPv4Interface(two.address).network
            if nets[0].overlaps(nets[1]):
                yield Problem(
                    f"portals[{j}].address",
                    f"{two.address} overlaps portals[{i}] ({one.address}): on one subnet the two "
                    "paths of multipath are one; use separate subnets",
                )

    def _targets(self) -> Iterator[Problem]:
        volumes = {
            f"{group.name}/{volume.name}"
            for group in self.volume_groups
            for volume in group.volumes
        }
        exported: dict[str, str] = {}
        for index, target in enumerate(self.targets):
            for position, lun in enumerate(target.luns):
                path = f"targets[{index}].luns[{position}]"
                if lun.volume not in volumes:
                    yield Problem(f"{path}.volume", f"there is no volume {lun.volume!r}")
                elif lun.volume in exported:
                    yield Problem(
                        f"{path}.volume", f"{lun.volume} is already a LUN of {exported[lun.volume]}"
                    )
                exported.setdefault(lun.volume, target.name)
                if lun.number == 0 and self.target_software == "stgt":
                    yield Problem(
                        f"{path}.number",
                        "STGT's LUN 0 is its controller; its data LUNs start at 1",
                    )
