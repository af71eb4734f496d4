"""All the clusters of one inventory."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs

from . import neighbours
from .cluster import Cluster
from .declare import declared, many, problems_of
from .problem import InventoryError, Problem
from .secret import look_beside_inventory

_kept: ContextVar[list[InventoryError] | None] = ContextVar("kept", default=None)


@contextmanager
def errors_kept() -> Iterator[list[InventoryError]]:
    """Within it a site with problems is made all the same, so that the rest of its file is read."""
    errors: list[InventoryError] = []
    token = _kept.set(errors)
    try:
        yield errors
    finally:
        _kept.reset(token)


@attrs.frozen
class Site:
    """The clusters of one inventory; raises InventoryError with every problem of them."""

    clusters: tuple[Cluster, ...] = declared(many(Cluster, "Clusters", least=1))

    def __attrs_post_init__(self) -> None:
        look_beside_inventory()
        found = tuple(problems_of(self))
        if not found:
            return
        error = InventoryError(found, self)
        kept = _kept.get()
        if kept is None:
            raise error
        kept.append(error)

    def problems(self) -> Iterator[Problem]:
        """What its clusters can't share."""
        return neighbours.problems(self)

    def nodes(self) -> list[tuple[str, dict[str, Any]]]:
        """The storage nodes, as a group of pyinfra's inventory."""
        return [
            (node.name, {**node.ssh, "cluster": cluster.seen_from(node.name), "member": node})
            for cluster in self.clusters
            for node in cluster.nodes
        ]

    def initiators(self) -> list[tuple[str, dict[str, Any]]]:
        """The clients, as a group of pyinfra's inventory."""
        return [
            (
                client.name,
                {**client.ssh, "cluster": cluster.seen_from(client.name), "member": client},
            )
            for cluster in self.clusters
            for client in cluster.clients
        ]
