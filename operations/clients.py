"""A client: logged in to every portal, each LUN once."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host

from facts.initiator import Initiator
from operations.file import differing, install
from operations.node import serving_node
from operations.observation import converging, observed, pair
from san.model import Client

_RESTART = ("systemctl", "restart", "iscsid.service")
_READERS = {
    "/etc/iscsi/initiatorname.iscsi": _RESTART,
    "/etc/iscsi/iscsid.conf": _RESTART,
    "/etc/multipath.conf": ("systemctl", "reload-or-restart", "multipathd.service"),
}
"""What makes a file's reader read it, in the command that installs it."""


@converging(Client)
def connected() -> Iterator[PyinfraCommand]:
    """Install open-iscsi's and multipath's files, and log in where there is no session.

    Where the targets' ACLs admit it. A running session keeps its settings until its next login:
    nothing is logged out here.
    """
    cluster = host.data.cluster
    for file in differing("clients"):
        yield install(file, *_READERS.get(file.path, ()))
    if len(pair(cluster)) < len(cluster.nodes) and serving_node() is None:
        host.noop("no login: no node serves that this run can see")
        return
    sessions = {(session.target, session.address) for session in observed(host, Initiator).sessions}
    for target in cluster.targets:
        for portal in cluster.portals_for(host.data.member, target):
            if (target.name, portal.ip) not in sessions:
                yield StringCommand(
                    "iscsiadm", "--mode", "node", "--targetname", QuoteString(target.name),
                    "--portal", f"{portal.ip}:3260", "--login",
                )  # fmt: skip
