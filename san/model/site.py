"""All the clusters of one inventory."""

from collections.abc import Iterator
from typing import Any

import attrs

from .cluster import Cluster
from .declare import declared, duplicates, many, problems_of
from .problem import InventoryError, Problem


@attrs.frozen
class Site:
    """The clusters of one inventory; raises InventoryError with every problem of them."""

    clusters: tuple[Cluster, ...] = declared(many(Cluster, "Clusters", least=1))

    def __attrs_post_init__(self) -> None:
        found = tuple(problems_of(self))
        if found:
            raise InventoryError(found)

    def problems(self) -> Iterator[Problem]:
        """Names that two clusters share."""
        for name in duplicates([cluster.name for cluster in self.clusters]):
            yield Problem("clusters", f"{name!r} is there twice; give each cluster its own name")
        for name in duplicates([host.name for cluster in self.clusters for host in cluster.hosts]):
            yield Problem("clusters", f"{name!r} is in two clusters; a host belongs to one")
        for iqn in duplicates([target.name for c in self.clusters for target in c.targets]):
            yield Problem("clusters", f"target {iqn!r} is in two clusters; iSCSI names are unique")

    def nodes(self) -> list[tuple[str, dict[str, Any]]]:
        """The storage nodes, as a group of pyinfra's inventory."""
        return [
            (node.name, {**node.ssh, "cluster": cluster})
            for cluster in self.clusters
            for node in cluster.nodes
        ]

    def initiators(self) -> list[tuple[str, dict[str, Any]]]:
        """The clients, as a group of pyinfra's inventory."""
        return [
            (client.name, {**client.ssh, "cluster": cluster})
            for cluster in self.clusters
            for client in cluster.clients
        ]
