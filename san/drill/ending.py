"""The end of a drill: waiting until the pair is as it must be, or the limit has passed."""

import time

import attrs

from . import outcome, state, watch
from .client import Client
from .fault import Expectation
from .stage import Stage
from .state import NodeState

HOLDS = 12.0
"""Seconds for which the client must write on, with both nodes together again: one that comes back
may yet quarrel with its peer."""
RESYNC = 90.0
"""Seconds at least for a resync without a writer."""
LOOK = 3.0
"""Seconds between two looks at all nodes; one costs each about 0.5 under emulation."""
DEPLOY = 600.0
"""Seconds for a run of pyinfra that a fault struck in its middle; it retries, and gives up."""


@attrs.frozen
class Ending:
    """How it stood when the drill stopped."""

    after: tuple[NodeState, ...]
    acked: bool
    """Whether the client was still writing."""
    stopped_at: float
    """When the writer was told to end, on our clock."""


def wait(stage: Stage, client: Client, expected: Expectation) -> Ending:
    """Wait until the nodes are together again while the client writes, then for the resync.

    The writer goes on until a node that came back has had the time to quarrel with its peer; the
    resync is waited for without it, since DRBD hardly resyncs beside a client that never pauses.
    """
    for run in stage.deploys:
        run.exception(timeout=DEPLOY)
    began = time.monotonic()
    nodes = (stage.serving, stage.standby)
    after: tuple[NodeState, ...] = ()
    acked, flows, since = client.acked(), False, float("inf")

    def well(*, resynced: bool) -> bool:
        nonlocal after
        after = state.look(stage.lab, nodes, stage.running())
        return outcome.ended_well(after, expected, *nodes, resynced=resynced)

    def holds() -> bool:
        nonlocal acked, flows, since
        fine = well(resynced=False)
        before, acked = acked, client.acked()
        flows = acked > before
        since = min(since, time.monotonic()) if fine and flows else float("inf")
        return time.monotonic() - since >= HOLDS

    held = watch.until(holds, expected.limit, LOOK)
    stopped_at = time.time()
    if flows:
        client.stop()
    else:
        client.let_go()
    if held:
        left = max(RESYNC, expected.limit - (time.monotonic() - began))
        watch.until(lambda: well(resynced=True), left, LOOK)
    return Ending(after, flows, stopped_at)
