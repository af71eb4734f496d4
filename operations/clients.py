"""A client: logged in to every portal, each LUN once."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host

from facts.initiator import Initiator
from operations.file import differing, install
from operations.observation import converging, observed
from san.model import Client


@converging(Client)
def connected() -> Iterator[PyinfraCommand]:
    """Install open-iscsi's and multipath's files, and log in where there is no session.

    A running session keeps its settings until its next login: nothing is logged out here.
    """
    cluster = host.data.cluster
    files = differing("clients")
    for file in files:
        yield install(file)
    changed = {file.path for file in files}
    if "/etc/iscsi/iscsid.conf" in changed or "/etc/iscsi/initiatorname.iscsi" in changed:
        yield StringCommand("systemctl", "restart", "iscsid.service")
    if "/etc/multipath.conf" in changed:
        yield StringCommand("systemctl", "reload-or-restart", "multipathd.service")
    sessions = {(session.target, session.address) for session in observed(host, Initiator).sessions}
    for target in cluster.targets:
        for portal in cluster.portals:
            if (target.name, portal.ip) not in sessions:
                yield StringCommand(
                    "iscsiadm", "--mode", "node", "--targetname", QuoteString(target.name),
                    "--portal", f"{portal.ip}:3260", "--login",
                )  # fmt: skip
