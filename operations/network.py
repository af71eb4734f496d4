"""The cluster's interfaces: up at boot, their own addresses, and ARP kept to its subnet."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host, state

from facts.network import Network
from operations.file import differing, install
from operations.node import turn_of_this_host
from operations.observation import converging, observed
from operations.waiting import until
from san.decide.links import amiss, not_in_force
from san.decide.serving import Turn
from san.model import Client, Node
from san.render.file import File
from san.render.firewall import UNIT
from san.render.network import SYSCTL

_LOAD = ("sysctl", "-q", "--load", SYSCTL)
"""Panics are judged by it from now on, not from the next boot."""

_THEN = {SYSCTL: _LOAD, UNIT: ("systemctl", "daemon-reload")}

RELOAD_LIMIT = 20
"""Seconds for networkd to have read its files anew, on a machine under load."""


@converging(Node, Client)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install the interfaces' files, and bring into force what isn't yet.

    The interfaces are set with ip(8), whatever manages them: a manager that reconfigures an
    interface may take the portals off it. Then networkd is asked which files it has in force; on a
    host without D-Bus nobody can ask, and a boot brings them into force.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    changed = differing("network")
    for file in changed:
        yield install(file, *_THEN.get(file.path, ()))
    if observed(host, Network).reloads and any(_of_networkd(file) for file in changed):
        yield StringCommand("networkctl", "reload")
    for command in amiss(cluster, host.data.member.name, observed(host, Network)):
        yield StringCommand(*(QuoteString(word) for word in command))
    if state.is_executing:
        until("the interfaces' files", _not_in_force, limit=RELOAD_LIMIT)


def _of_networkd(file: File) -> bool:
    return file.path.endswith(".network")


def _not_in_force() -> str | None:
    return not_in_force(host.data.cluster, host.data.member.name, observed(host, Network))
