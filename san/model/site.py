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
            raise InventoryError(found, self)

    def problems(self) -> Iterator[Problem]:
        """Names and storage addresses that two clusters share."""
        clusters = self.clusters
        for name in duplicates(cluster.name for cluster in clusters):
            yield Problem("clusters", f"{name!r} is there twice; give each cluster its own name")
        for name in duplicates(host.name for cluster in clusters for host in cluster.hosts):
            yield Problem("clusters", f"{name!r} is in two clusters; a host belongs to one")
        for iqn in duplicates(iqn.lower() for cluster in clusters for iqn in cluster.iscsi_names):
            yield Problem("clusters", f"{iqn!r} is in two clusters; each iSCSI name is unique")
        for ip in duplicates(ip for cluster in clusters for ip in cluster.storage_addresses):
            yield Problem("clusters", f"{ip} is a storage address of two clusters; change one")

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
