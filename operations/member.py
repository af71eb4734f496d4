"""Which hosts of a run belong to which cluster; others' hosts may be in the same inventory."""

from functools import cache

from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory

from san.model import Client, Cluster, Node


def member_of(each: Host) -> Node | Client | None:
    """What a host is in its cluster; None where it is in none, whatever its data are called."""
    member = each.data.get("member")
    known = isinstance(member, Node | Client) and isinstance(each.data.get("cluster"), Cluster)
    return member if known else None


@cache
def clusters(inventory: Inventory) -> dict[str, dict[str, Host]]:
    """The hosts by their cluster's name and their own, whether this run has reached them or not."""
    found: dict[str, dict[str, Host]] = {}
    for each in inventory:
        member = member_of(each)
        if member is not None:
            found.setdefault(each.data.cluster.name, {})[member.name] = each
    return found


def hosts_of(inventory: Inventory, cluster: Cluster) -> dict[str, Host]:
    """The hosts of a cluster by their names."""
    return clusters(inventory).get(cluster.name, {})
