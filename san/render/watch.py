"""The watch over the group: its program, its service, and what it looks after."""

from collections.abc import Iterator

from san.model import Cluster

from .file import File, public
from .haresources import resources
from .template import raw, text

PROGRAM = "/usr/local/sbin/san-watch"
LIBRARY = "/usr/local/lib/san"
CONFIG = "/etc/san/watch.conf"
UNIT = "san-watch.service"


def watch_conf(cluster: Cluster) -> str:
    """/etc/san/watch.conf; the same on both nodes. Secrets stay in the target's own file."""
    return text(
        "watch/watch.conf",
        cluster=cluster,
        resources=resources(cluster),
        timing=cluster.timing,
        group_seconds=_group_seconds(cluster),
    )


def _group_seconds(cluster: Cluster) -> int:
    """How long the group's start may take where all that can hang does.

    One start, and then of each resource the stops, the last one, and its status. Nobody may end it
    before: it resets a node that can't stop what it runs.
    """
    return cluster.timing.resource_script * (1 + 3 * len(resources(cluster)))


def watch_files(cluster: Cluster) -> Iterator[File]:
    """The program and what it reads; nothing where it can't ask the target."""
    if cluster.target_software != "stgt":
        return
    yield public(CONFIG, watch_conf(cluster), "watch")
    for name in ("Initiator.pm", "Sight.pm"):
        yield public(f"{LIBRARY}/{name}", raw(f"watch/{name}"), "watch")
    yield public(PROGRAM, raw("watch/san-watch"), "watch", mode=0o755)
    yield public(f"/etc/systemd/system/{UNIT}", raw(f"watch/{UNIT}"), "watch")
