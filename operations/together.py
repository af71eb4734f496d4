"""A cluster's hosts go through a run in step, and where one fails, all of them are left.

The other clusters go on, and pyinfra ends with status 1. Its own ways to go on without a host
(FAIL_PERCENT, a question) know nothing of clusters.
"""

from collections.abc import Iterable, Iterator
from typing import NoReturn

import pyinfra
from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.context import host, state

from operations.member import clusters
from san.decide.refusal import Refusal


class _Run(BaseStateCallback):
    """What pyinfra tells of a run."""

    def __init__(self, state: State) -> None:
        self.asks = state.should_raise_failed_hosts is not None
        """Whether pyinfra would ask a person, who can't know, to go on without a host."""
        self.step = host.executing_op_hash
        """The operation that all hosts are at."""
        self.ours: set[str | None] = set()
        self.others = 0
        """Operations that aren't ours and have run commands so far."""
        self.reasons: dict[str, str] = {}
        """Why a cluster was left, by its name."""
        self.told = False
        self._ask_nobody(state)

    def _ask_nobody(self, state: State) -> None:
        if self.asks:
            state.should_raise_failed_hosts = None
            state.config.FAIL_PERCENT = None

    def operation_start(self, state: State, op_hash: str) -> None:  # type: ignore[override]  # pyinfra's is static
        """All hosts begin an operation. With --serial or --no-wait pyinfra doesn't tell."""
        self.step = op_hash
        self._ask_nobody(state)

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """All hosts have done it, or have failed."""
        if op_hash not in self.ours:
            done = (each[op_hash] for each in state.ops.values() if op_hash in each)
            self.others += any(each.operation_meta.executed for each in done)
        failed = state.failed_hosts & state.activated_hosts
        left = {}
        for name, hosts in clusters(state.inventory).items():
            broken = [own for own, each in hosts.items() if each in failed]
            if broken and state.active_hosts & set(hosts.values()):
                left[name] = broken
        for name, broken in left.items():
            phase = ", ".join(state.get_op_meta(op_hash).names)
            self.reasons.setdefault(name, f"{' and '.join(broken)} failed in {phase!r}; see above")
        _fail(state, left)

    def host_disconnect(self, state: State, host: Host) -> None:  # type: ignore[override]
        """The run ends, unless this host reboots."""
        if self.told or host.executing_op_hash is not None:
            return
        self.told = True
        left = list(self._left(state))
        if left:
            logger.error("--> Clusters that this run has left:")
        for line in left:
            logger.error(f"    {line}")

    def _left(self, state: State) -> Iterator[str]:
        for name, hosts in clusters(state.inventory).items():
            if name in self.reasons:
                yield f"{name}: {self.reasons[name]}"
            elif state.failed_hosts.issuperset(hosts.values()):
                yield f"{name}: none of its hosts can be reached"


def _run() -> _Run:
    """What is known of this run; the first that asks begins to listen."""
    for each in state.callback_handlers:
        if isinstance(each, _Run):
            return each
    begun = _Run(state)
    state.add_callback_handler(begun)  # type: ignore[no-untyped-call]
    return begun


def step() -> None:
    """Begin an operation of ours on this host; raises Refusal where its peers are elsewhere."""
    run = _run()
    run.ours.add(host.current_op_hash)
    if state.is_executing and host.executing_op_hash != run.step:
        raise Refusal(
            "--serial and --no-wait take a cluster's nodes out of step: each phase takes the "
            "standby first, then the serving node, and the next begins after both; run without it"
        )


def others() -> int:
    """How many operations that aren't ours have run commands so far."""
    return _run().others


def left(each: Host) -> bool:
    """Whether nothing more is planned on a host, since its cluster was left."""
    return each not in state.active_hosts


def leave(reason: str) -> None:
    """Leave the cluster of this host, for a `reason` that the operator reads now and at the end."""
    name = host.data.cluster.name
    _run().reasons.setdefault(name, f"{host.data.member.name}: {reason}")
    host.log_styled(reason, fg="red", log_func=logger.error)
    if not state.is_executing:  # else this host fails, and the others after the operation
        _fail(state, [name])


def _fail(state: State, names: Iterable[str]) -> None:
    """Let the hosts of these clusters take no further part."""
    known = clusters(state.inventory)
    hosts = {each for name in names for each in known[name].values()}
    try:
        state.fail_hosts(hosts & state.active_hosts)  # type: ignore[no-untyped-call]
    except PyinfraError as error:  # nobody is left, or more have failed than the operator allows
        _end(str(error))


def _end(sentence: str) -> NoReturn:
    """End the run for all; pyinfra's command shows the sentence alone."""
    if pyinfra.is_cli:
        from pyinfra_cli.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415 (its import patches a program)
            CliError,
        )

        raise CliError(sentence) from None
    raise PyinfraError(sentence) from None
