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

EVERY = 2
"""Seconds between two looks. A doubt is looked into after one second."""
ANSWER = 3
"""Seconds for a login, a LUN's list and its blocks. With two looks, and the time between, a target
that hangs is noticed within 10 s; one that is only slow, under load, is not."""
MOVES = 2
MOVES_WITHIN = 1800
"""Moves from this node, at most, within so many seconds: what fails on both nodes stays where it
is, and is told, before clients have waited for the fifth move to and fro."""
TAKEOVER = 20
"""Seconds without a serving node until its takeover has failed: more than one takes."""
RETRIES = 10
"""Takeovers that are tried again. With doubled pauses up to five minutes: over half an hour."""


def watch_conf(cluster: Cluster) -> str:
    """/etc/san/watch.conf; the same on both nodes. Secrets stay in the target's own file."""
    return text(
        "watch/watch.conf",
        cluster=cluster,
        resources=resources(cluster),
        every=EVERY,
        answer=ANSWER,
        moves=MOVES,
        moves_within=MOVES_WITHIN,
        takeover=TAKEOVER,
        retries=RETRIES,
    )


def watch_files(cluster: Cluster) -> Iterator[File]:
    """The program and what it reads; nothing where it can't ask the target."""
    if cluster.target_software != "stgt":
        return
    yield public(CONFIG, watch_conf(cluster), "watch")
    for name in ("Initiator.pm", "Sight.pm"):
        yield public(f"{LIBRARY}/{name}", raw(f"watch/{name}"), "watch")
    yield public(PROGRAM, raw("watch/san-watch"), "watch", mode=0o755)
    yield public(f"/etc/systemd/system/{UNIT}", raw(f"watch/{UNIT}"), "watch")
