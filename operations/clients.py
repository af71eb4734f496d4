"""A client: logged in to every portal, each LUN once."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host

from facts.initiator import Initiator
from operations.file import differing, install
from operations.node import serving_node
from operations.observation import converging, observed, pair
from san.model import Client
from san.render.firewall import ISCSI_PORT

_RESTART = ("systemctl", "restart", "iscsid.service")
_READERS = {
    "/etc/iscsi/initiatorname.iscsi": _RESTART,
    "/etc/iscsi/iscsid.conf": _RESTART,
    "/etc/multipath.conf": ("systemctl", "reload-or-restart", "multipathd.service"),
}
"""What makes a file's reader read it, in the command that installs it."""
_ANEW = ("--logout", "--login")


@converging(Client)
def connected() -> Iterator[PyinfraCommand]:
    """Install open-iscsi's and multipath's files, and log in where there is no session.

    Where the targets' ACLs admit it. A running session keeps its settings until its next login, and
    iscsid its CHAP secret: one whose record has another by now could never log in again, after a
    takeover for one, and is ended here. Multipath keeps its I/O meanwhile. While no node serves,
    nothing is done: what is ended then couldn't begin.
    """
    cluster = host.data.cluster
    if len(pair(cluster)) < len(cluster.nodes) and serving_node() is None:
        host.noop("left as it is: no node serves that this run can see")
        return
    files = differing("clients")
    records = [file for file in files if file.path not in _READERS]
    for file in records:
        yield install(file)
    # Before iscsid starts anew: it ends no session that it is about to take up again.
    ours = {target.name for target in cluster.targets}
    for session in observed(host, Initiator).sessions:
        if session.outdated and session.target in ours:
            yield from (_session(session.target, session.address, each) for each in _ANEW)
    for file in files:
        if file not in records:
            yield install(file, *_READERS[file.path])
    sessions = {(session.target, session.address) for session in observed(host, Initiator).sessions}
    for target in cluster.targets:
        for portal in cluster.portals_for(host.data.member, target):
            if (target.name, portal.ip) not in sessions:
                yield _session(target.name, portal.ip, "--login")


def _session(target: str, address: str, action: str) -> StringCommand:
    """What becomes of the session with a target through a portal."""
    portal = f"{address}:{ISCSI_PORT}"
    record = ("--targetname", QuoteString(target), "--portal", portal)
    return StringCommand("iscsiadm", "--mode", "node", *record, action)
