"""The watch over the group: `san-watch` on both nodes."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.context import host

from facts.watch import Watch
from operations.file import differing, install
from operations.node import turn_of_this_host
from operations.observation import converging, observed
from san.decide.serving import Turn
from san.model import Node
from san.render.watch import CONFIG, UNIT


@converging(Node)
def running(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install `san-watch`, and have it run now and from each boot on.

    It reads a changed configuration by itself; another program, library or unit restarts it, which
    touches nothing that it looks after.
    """
    if not turn_of_this_host(turn):
        return
    found = observed(host, Watch)
    changed = differing("watch")
    for file in changed:
        anew = file is changed[-1] and file.path != CONFIG
        told = ("systemctl", "daemon-reload", "&&", "systemctl", "restart", UNIT) if anew else ()
        yield install(file, *told)
    if not found.running or found.boot != "enabled":
        yield StringCommand("systemctl", "enable", "--now", UNIT)
