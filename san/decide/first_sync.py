"""Whether two new sides have to be made equal, and by whose data."""

from collections.abc import Iterator, Mapping

from san.model import Cluster, DrbdResource
from san.observe.content import Content

from .refusal import Refusal

Command = tuple[str, ...]


def named(cluster: Cluster, resource: DrbdResource, sync_from: frozenset[str]) -> str | None:
    """The node whose data the other gets, where the user names one (as NODE/RESOURCE)."""
    found = [node.name for node in cluster.nodes if f"{node.name}/{resource.name}" in sync_from]
    return found[0] if len(found) == 1 else None


def judge(
    resource: DrbdResource, contents: Mapping[str, Content], new_disks: frozenset[str]
) -> None:
    """Raise Refusal where the two sides aren't known to be equal.

    They are where all that DRBD would compare was read, and is zero on both; or where the user says
    that both disks are new (`new_disks`, each as NODE/RESOURCE), and nothing was found that tells
    otherwise. Metadata that has seen no data may have been made around data.
    """
    if all(each.zero for each in contents.values()):
        return
    disks = [f"{node}/{resource.name}" for node in contents]
    if new_disks.issuperset(disks) and all(each.at is None for each in contents.values()):
        return
    found = "; ".join(f"{node}: {each}" for node, each in contents.items())
    raise Refusal(
        f"{resource.name} is new to DRBD on both nodes, and its disks aren't known to be equal "
        f"({found}): name the side whose data the other gets, all of it, with --data "
        f"sync_from=NODE/{resource.name}; or, where both disks are new or were written with zeros "
        f"from end to end, --data new_disks={','.join(disks)}"
    )


def steps(resource: DrbdResource, source: str | None) -> Iterator[Command]:
    """The commands that declare both sides equal, or have the other get all of `source`."""
    if source is None:
        yield ("drbdadm", "new-current-uuid", "--clear-bitmap", f"{resource.name}/0")
    else:
        # Neither side is UpToDate yet; the copying goes on once it is Secondary again.
        yield ("drbdadm", "primary", "--force", resource.name)
        yield ("drbdadm", "secondary", resource.name)
