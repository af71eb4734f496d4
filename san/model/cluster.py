"""A cluster: two nodes, what they serve, and the clients that use it."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface

import attrs

from . import access, cabling, conflict, stacking, stonith, text
from .connection import connection
from .declare import (
    a,
    declared,
    duplicates,
    independent,
    many,
    mapping,
    one_of,
    optional,
    shown,
    sound,
)
from .heartbeat import Heartbeat
from .kmodule import KernelModule
from .network import Network, Portal, address
from .plain import plain
from .problem import Problem
from .secret import Secret
from .stonith import Stonith
from .storage import DrbdResource, VolumeGroup
from .target import Acl, Everyone, Target
from .timing import Timing
from .warning import SINGLE_HEARTBEAT_LINK, WARNINGS

PAIR = 2
"""Nodes of a cluster: DRBD 8.4 and haresources know a pair."""

LINKS_WANTED = 2
"""Heartbeat links on media of their own, so that one broken cable is no split brain."""

_addresses = mapping(text.token, address, "an address with its prefix for each network by name")


def _reason(value: object) -> str | None:
    if isinstance(value, str) and value.strip() and value.isprintable():
        return None
    return f"{shown(value)} is not a reason; write one, in a line"


@attrs.frozen
class Node:
    """A storage node, by what `uname -n` prints there."""

    name: str = declared(text.uname)
    addresses: Mapping[str, str] = declared(_addresses, factory=dict)
    """Its own addresses by network; a storage network may go without."""
    stonith: tuple[Stonith, ...] = declared(many(Stonith, "Stonith devices"), default=())
    """What the peer resets it with when it is silent, in the order in which they are tried."""
    ssh: Mapping[str, object] = declared(connection, factory=dict, repr=False)
    """pyinfra's connector data for it (ssh_hostname, ssh_user, ssh_config_file, …)."""

    def to_json(self) -> dict[str, object]:
        """The node as plain data, without pyinfra's connector data."""
        return plain(self)


@attrs.frozen
class Client:
    """A client (initiator): logs in to every portal and sees each LUN once, through multipath."""

    name: str = declared(text.hostname)
    """What `uname -n` prints there."""
    iqn: str = declared(text.iscsi_name)
    addresses: Mapping[str, str] = declared(_addresses, factory=dict)
    reservations: bool = declared(one_of(True, False), default=False)
    """Whether it relies on SCSI-3 persistent reservations (a Windows or Pacemaker cluster does)."""
    ssh: Mapping[str, object] = declared(connection, factory=dict, repr=False)

    def to_json(self) -> dict[str, object]:
        """The client as plain data, without pyinfra's connector data."""
        return plain(self)


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
    timing: Timing = declared(a(Timing, "a Timing"), factory=Timing)
    clients: tuple[Client, ...] = declared(many(Client, "Clients"), default=())
    target_software: str = declared(one_of("stgt", "iet"), default="stgt")
    address_agent: str = declared(one_of("IPaddr", "IPaddr2", "portal"), default="portal")
    """The resource script of the portals; ours, or a stock one. IPaddr is the guide's."""
    promotion_agent: str = declared(one_of("drbd-primary", "drbddisk"), default="drbd-primary")
    """The resource script of the DRBD resources: ours, or drbd-utils' drbddisk, the guide's."""
    volume_agent: str = declared(one_of("LVM", "volume-group"), default="volume-group")
    """The resource script of the volume groups: ours, or the stock LVM, which is the guide's."""
    portals_last: bool = declared(one_of(True, False), default=True)
    """Whether the portals' addresses come after the target, so that a client is never refused: one
    that finds nobody asks again within two seconds, one that is refused after three. False: the
    guide's order."""
    modules: tuple[KernelModule, ...] = declared(many(KernelModule, "KernelModules"), default=())
    """Kernel modules that a node needs to serve: built for each of its kernels (san.modules)."""
    accept_no_fencing: str | None = declared(optional(_reason), default=None)
    """Why its nodes have no STONITH device; `san check` says what that leaves open."""
    acknowledged: tuple[str, ...] = declared(many(str, "names of warnings"), default=())
    """Warnings that you have read and accept, by name."""

    @property
    def fence_peer(self) -> int:
        """Seconds in which a promotion must know what became of the peer."""
        return self.timing.fence_peer_for(self.heartbeat.deadtime)

    @property
    def preferred(self) -> Node:
        """The node that serves a new cluster first."""
        return self.nodes[0]

    @property
    def hosts(self) -> tuple[Node | Client, ...]:
        """The nodes and the clients."""
        return (*self.nodes, *self.clients)

    @property
    def places(self) -> Iterator[tuple[str, Node | Client]]:
        """Each host, with where it stands in the cluster."""
        for field in ("nodes", "clients"):
            for index, host in enumerate(getattr(self, field)):
                yield f"{field}[{index}]", host

    def heartbeat_media(self, node: str) -> frozenset[str]:
        """What carries heartbeats at `node`, each breaking by itself: cables, serial devices."""
        cables = {network.name: network.cable_on(node) for network in self.networks}
        return frozenset(cables.get(link.medium, link.medium) for link in self.heartbeat.peer_links)

    def portals_for(self, client: Client, target: Target) -> tuple[Portal, ...]:
        """The portals through which `target` admits `client`: it logs in there."""
        return access.let_in(self, target, client)

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

    def seen_from(self, host: str) -> "Cluster":
        """The same with each network's interface as `host` calls it."""
        names = [each.name for each in self.hosts]
        networks = tuple(
            attrs.evolve(
                network,
                interface=network.interface_on(host),
                interfaces={name: network.interface_on(name) for name in names},
            )
            if network.interfaces
            else network
            for network in self.networks
        )
        return attrs.evolve(self, networks=networks)

    def acl_of(self, target: Target) -> Acl | Everyone:
        """Who may log in to `target`: whom its ACL names, else the inventory's clients."""
        return target.acl or Acl(tuple(sound(self.clients, "iqn")))

    def network_of(self, portal: Portal) -> Network:
        """The storage network that `portal` is on."""
        return next(network for network in self.storage_networks if network.holds(portal.address))

    @property
    def storage_networks(self) -> tuple[Network, ...]:
        """The clients' paths."""
        return tuple(network for network in self.networks if network.role == "storage")

    @property
    def iscsi_names(self) -> tuple[str, ...]:
        """The targets' and the initiators' names."""
        return (*sound(self.targets, "name"), *sound(self.clients, "iqn"))

    @property
    def storage_addresses(self) -> frozenset[str]:
        """The IPs on the clients' paths: the portals', and the hosts' own."""
        paths = {network.name for network in self.storage_networks}
        own = (one.ip for one in cabling.own_addresses(self) if one.network in paths)
        portals = (str(IPv4Interface(address).ip) for address in sound(self.portals, "address"))
        return frozenset((*portals, *own))

    def problems(self) -> Iterator[Problem]:
        """What only the whole cluster shows."""
        return independent(
            self,
            self._kind(),
            *map(self._names, ("networks", "resources", "volume_groups", "modules")),
            self._hosts(),
            self._iscsi_names(),
            self._users(),
            self._acknowledged(),
            self._separate(),
            cabling.problems(self),
            stacking.problems(self),
            access.problems(self),
            conflict.problems(self),
            stonith.problems(self),
        )

    def _kind(self) -> Iterator[Problem]:
        if self.target_software == "iet":
            yield Problem(
                "target_software",
                "'iet' is rendered, but not deployed yet: its module compiles on no kernel of "
                "today's Debian; write 'stgt'",
            )
        if len(self.nodes) != PAIR:
            yield Problem("nodes", f"it has {len(self.nodes)} nodes; a cluster has exactly two")

    def _names(self, field: str) -> Iterator[Problem]:
        for name in duplicates(sound(getattr(self, field), "name")):
            yield Problem(field, f"{name!r} is there twice; give each its own name")

    def _hosts(self) -> Iterator[Problem]:
        for name in duplicates(name.lower() for name in sound(self.hosts, "name")):
            yield Problem("nodes", f"{name!r} names two hosts; each has its own `uname -n`")

    def _iscsi_names(self) -> Iterator[Problem]:
        for name in duplicates(name.lower() for name in self.iscsi_names):
            yield Problem("targets", f"{name!r} is there twice; each iSCSI name is unique")

    def _users(self) -> Iterator[Problem]:
        """STGT has one table of CHAP users for all targets."""
        secrets: dict[str, Secret] = {}
        for index, target in enumerate(self.targets):
            if target.chap and secrets.setdefault(target.chap.user, target.chap.secret) != (
                target.chap.secret
            ):
                yield Problem(
                    f"targets[{index}].chap",
                    f"user {target.chap.user!r} has another secret at another target; STGT knows "
                    "each user once: give it one secret, or each target its own user",
                )

    def _acknowledged(self) -> Iterator[Problem]:
        for index, name in enumerate(self.acknowledged):
            if name not in WARNINGS:
                yield Problem(
                    f"acknowledged[{index}]",
                    f"{shown(name)} is not a warning; there is {', '.join(WARNINGS)}",
                )

    def _separate(self) -> Iterator[Problem]:
        names = sound(self.nodes, "name")
        count = min((len(self.heartbeat_media(each)) for each in names), default=LINKS_WANTED)
        if count < LINKS_WANTED and SINGLE_HEARTBEAT_LINK not in self.acknowledged:
            yield Problem(
                "heartbeat.links",
                f"{count} separate link joins the nodes: one broken cable makes both of them "
                f"serve; add one, or accept it with acknowledged=({SINGLE_HEARTBEAT_LINK!r},)",
            )

    def to_json(self) -> dict[str, object]:
        """The cluster as plain data, without pyinfra's connector data."""
        return plain(self)
