"""A cluster: two nodes, what they serve, and the clients that use it."""

from collections.abc import Iterator, Mapping

import attrs

from . import cabling, conflict, stacking, stonith, text
from .declare import a, declared, duplicates, many, mapping, one_of, optional, shown
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

SINGLE_HEARTBEAT_LINK = "single-heartbeat-link"
"""The warning that fewer than two links join the nodes: one broken cable is then a split brain."""

LOST_RESERVATIONS = "lost-reservations"
"""The warning that a client relies on SCSI-3 reservations, which a takeover drops."""

WARNINGS = (SINGLE_HEARTBEAT_LINK, LOST_RESERVATIONS)

PAIR = 2
"""Nodes of a cluster: DRBD 8.4 and haresources know a pair."""

LINKS_WANTED = 2
"""Heartbeat links on media of their own, so that one broken cable is no split brain."""

_addresses = mapping(text.token, address, "an address with its prefix for each network by name")


def _ssh(value: object) -> str | None:
    if isinstance(value, Mapping) and all(
        isinstance(key, str) and key.startswith("ssh_") for key in value
    ):
        return None
    return "it is not a mapping of pyinfra's ssh_… connector data, such as {'ssh_user': 'root'}"


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
    ssh: Mapping[str, object] = declared(_ssh, factory=dict, repr=False)
    """pyinfra's connector data for it (ssh_hostname, ssh_user, ssh_config_file, …)."""

    def to_json(self) -> dict[str, object]:
        """The node as plain data, without pyinfra's connector data."""
        return plain(self)


@attrs.frozen
class Client:
    """A client (initiator): logs in to every portal and sees each LUN once, through multipath."""

    name: str = declared(text.uname)
    iqn: str = declared(text.iscsi_name)
    addresses: Mapping[str, str] = declared(_addresses, factory=dict)
    reservations: bool = declared(one_of(True, False), default=False)
    """Whether it relies on SCSI-3 persistent reservations (a Windows or Pacemaker cluster does)."""
    ssh: Mapping[str, object] = declared(_ssh, factory=dict, repr=False)

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
        return target.acl or Acl(tuple(client.iqn for client in self.clients))

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
        return (
            *(target.name for target in self.targets),
            *(client.iqn for client in self.clients),
        )

    @property
    def storage_addresses(self) -> frozenset[str]:
        """The IPs on the clients' paths: the portals', and the hosts' own."""
        paths = {network.name for network in self.storage_networks}
        own = (one.ip for one in cabling.own_addresses(self) if one.network in paths)
        return frozenset((*(portal.ip for portal in self.portals), *own))

    def problems(self) -> Iterator[Problem]:
        """What only the whole cluster shows."""
        if len(self.nodes) != PAIR:
            yield Problem("nodes", f"it has {len(self.nodes)} nodes; a cluster has exactly two")
        if self.target_software == "iet":
            yield Problem(
                "target_software",
                "'iet' is rendered, but not deployed yet: its module compiles on no kernel of "
                "today's Debian; write 'stgt'",
            )
        yield from self._names()
        yield from self._users()
        yield from self._admitted()
        yield from self._acknowledged()
        yield from cabling.problems(self)
        yield from stacking.problems(self)
        yield from conflict.problems(self)
        yield from stonith.problems(self)

    def _names(self) -> Iterator[Problem]:
        for field in ("networks", "resources", "volume_groups", "modules"):
            for name in duplicates(part.name for part in getattr(self, field)):
                yield Problem(field, f"{name!r} is there twice; give each its own name")
        for name in duplicates(host.name for host in self.hosts):
            yield Problem("nodes", f"{name!r} names two hosts; each has its own `uname -n`")
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

    def _admitted(self) -> Iterator[Problem]:
        for index, target in enumerate(self.targets):
            if target.acl is None and not self.clients:
                yield Problem(
                    f"targets[{index}].acl",
                    "nobody could log in: without an Acl the inventory's clients may, and it has "
                    "none; declare a Client, an Acl, or Everyone()",
                )
        for index, client in enumerate(self.clients):
            if client.reservations and LOST_RESERVATIONS not in self.acknowledged:
                yield Problem(
                    f"clients[{index}].reservations",
                    f"{client.name} relies on SCSI-3 reservations, and a takeover drops them (STGT "
                    "keeps them in memory): a host that was shut out may write again; accept it "
                    f"with acknowledged=({LOST_RESERVATIONS!r},)",
                )

    def _acknowledged(self) -> Iterator[Problem]:
        for index, name in enumerate(self.acknowledged):
            if name not in WARNINGS:
                yield Problem(
                    f"acknowledged[{index}]",
                    f"{shown(name)} is not a warning; there is {', '.join(WARNINGS)}",
                )
        count = len({link.medium for link in self.heartbeat.peer_links})
        if count < LINKS_WANTED and SINGLE_HEARTBEAT_LINK not in self.acknowledged:
            yield Problem(
                "heartbeat.links",
                f"{count} separate link joins the nodes: one broken cable makes both of them "
                f"serve; add one, or accept it with acknowledged=({SINGLE_HEARTBEAT_LINK!r},)",
            )

    def to_json(self) -> dict[str, object]:
        """The cluster as plain data, without pyinfra's connector data."""
        return plain(self)
