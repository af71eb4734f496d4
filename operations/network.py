"""The cluster's interfaces: up at boot, their own addresses, and ARP kept to its subnet."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host

from facts.network import Network
from operations.file import differing, install
from operations.node import turn_of_this_host
from operations.observation import converging, observed
from san.decide.links import amiss
from san.decide.serving import Turn
from san.model import Client, Node
from san.render.network import SYSCTL

_LOAD = ("sysctl", "-q", "--load", SYSCTL)
"""Panics are judged by it from now on, not from the next boot."""


@converging(Node, Client)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install the interfaces' files, and bring into force what isn't yet.

    The interfaces are set with ip(8), whatever manages them: a manager that reconfigures an
    interface may take the portals off it.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    changed = differing("network")
    for file in changed:
        yield install(file, *(_LOAD if file.path == SYSCTL else ()))
    if changed:
        yield StringCommand("networkctl reload 2>/dev/null || :")
    for command in amiss(cluster, host.data.member.name, observed(host, Network)):
        yield StringCommand(*(QuoteString(word) for word in command))
