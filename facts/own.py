"""What a fact asks for where nothing is named: its host's own part of the cluster."""

from typing import TypeVar

from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.state import State

from san.model import Cluster, DrbdResource, Node

T = TypeVar("T")


class OwnFact(FactBase[T]):
    """A fact that knows whose it is: pyinfra's own `host` may be another one, which asks."""

    _host: Host | None = None

    def check_preconditions(self, state: State, host: Host) -> None:  # noqa: ARG002 (pyinfra's signature)
        """Keep the host; pyinfra asks this of it before the command."""
        self._host = host

    def own(self) -> tuple[Cluster, Node] | None:
        """The host's cluster and its node; None where it is no storage node."""
        data = self._host.data if self._host else None
        member = data.get("member") if data else None
        return (data.cluster, member) if data and isinstance(member, Node) else None

    def own_resources(self) -> tuple[tuple[DrbdResource, str], ...]:
        """Each DRBD resource of the host, and its backing disk there."""
        own = self.own()
        if own is None:
            return ()
        cluster, node = own
        return tuple((each, each.disk_of(node.name)) for each in cluster.resources)
