"""The iSCSI targets: their configuration, applied online where they are served."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.context import host, state

from facts.stgt import SCRIPT, Stgt
from operations.file import differing, install
from operations.node import serving_node, turn_of_this_host
from operations.observation import converging, forget, observed
from san.decide.serving import Turn
from san.decide.target import new_sizes_left, revoked, serves_exactly
from san.model import Node


@converging(Node)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install the targets' configuration; on the serving node, apply it online.

    On a node that doesn't serve, no target daemon may run: it would answer a login with a target
    that isn't there, which is final for an initiator.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    found = observed(host, Stgt)
    serves = serving_node() == host.data.member.name
    changed = differing("targets")
    if not state.is_executing:  # a plan says it before the run ends there
        for client in revoked(cluster, found):
            host.log_styled(
                f"{client} is logged in, and may no longer be: the run ends at its session, unless "
                "it is gone by then; see docs/runbook.md, 'A client uses it'",
                fg="yellow",
            )
    for file in changed:
        told = (SCRIPT, "apply") if serves and found.running and file is changed[-1] else ()
        yield install(file, *told)
    if not serves and found.running:
        # A node that takes over is Primary before its targets run: ask DRBD after them.
        forget(cluster)
        if serving_node() != host.data.member.name:
            yield StringCommand(SCRIPT, "stop")
    elif found.running and not changed and not serves_exactly(cluster, found):
        yield StringCommand(SCRIPT, "apply")
    for left in new_sizes_left(found):
        host.log_styled(
            f"{left}: at the next takeover, or now, at a quiet moment; see docs/operating.md",
            fg="yellow",
        )
