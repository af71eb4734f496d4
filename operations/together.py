"""A cluster's hosts go through a run in step, and where one fails, all of them are left.

The other clusters go on, and pyinfra ends with status 1. Its own ways to go on without a host
(FAIL_PERCENT, a question) know nothing of clusters.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NoReturn

import click
import pyinfra
from pyinfra import logger
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.context import host, state

from operations.member import clusters


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
        left = []
        for name, hosts in clusters(state.inventory).items():
            failed = [
                own
                for own, each in hosts.items()
                if each in state.failed_hosts and each in state.activated_hosts
            ]
            if failed:
                phase = ", ".join(state.get_op_meta(op_hash).names)
                reason = f"{' and '.join(failed)} failed in {phase!r}; see above"
                self.reasons.setdefault(name, reason)
                left.append(name)
        try:
            _fail(state, left)
        except PyinfraError as error:
            _end(str(error))

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
            own = set(hosts.values())
            if name in self.reasons:
                yield f"{name}: {self.reasons[name]}"
            elif own & state.failed_hosts and not own & state.active_hosts:
                reached = own & state.activated_hosts
                what = "all of its hosts failed; see above" if reached else "no host answers"
                yield f"{name}: {what}"


def _run() -> _Run:
    """What is known of this run; the first that asks begins to listen."""
    for each in state.callback_handlers:
        if isinstance(each, _Run):
            return each
    begun = _Run(state)
    state.add_callback_handler(begun)  # type: ignore[no-untyped-call]
    return begun


def in_step() -> bool:
    """Whether this host's peers are at the operation that it begins, which is ours.

    Its cluster is left where they aren't. Nothing is raised for it: with --no-wait pyinfra would
    print a traceback, and end with 0.
    """
    run = _run()
    run.ours.add(host.current_op_hash)
    reason = _out_of_step(run)
    if reason is None:
        return True
    leave(reason)
    with suppress(PyinfraError):
        _fail(state, [host.data.cluster.name])
    return False


def _out_of_step(run: _Run) -> str | None:
    if not state.is_executing or host.executing_op_hash == run.step:
        return None
    return (
        "--serial and --no-wait take a cluster's nodes out of step: each phase takes the standby "
        "first, then the serving node, and the next begins after both; run without it"
    )


def others() -> int:
    """How many operations that aren't ours have run commands so far."""
    return _run().others


def left(each: Host) -> bool:
    """Whether nothing more is planned on a host, since its cluster was left."""
    return each not in state.active_hosts


def leave(reason: str) -> None:
    """Leave the cluster of this host, for a `reason` that the operator reads now and at the end.

    While a plan is executed, the operation that this host is in has to fail, too.
    """
    name = host.data.cluster.name
    sentence = f"{host.data.member.name}: {reason}"
    _run().reasons.setdefault(name, sentence)
    click.secho(sentence, fg="red", err=True)  # first on its line: the logger indents
    if not state.is_executing:
        try:
            _fail(state, [name])
        except PyinfraError as error:
            _end(str(error))


def _fail(state: State, names: Iterable[str]) -> None:
    """Let the hosts of these clusters take no further part.

    Raises PyinfraError where nobody is left, or more have failed than the operator allows.
    """
    known = clusters(state.inventory)
    hosts = {each for name in names for each in known[name].values()}
    state.fail_hosts(hosts & state.active_hosts)  # type: ignore[no-untyped-call]


def _end(sentence: str) -> NoReturn:
    """End the run for all; pyinfra's command shows the sentence alone, without where we are."""
    if not pyinfra.is_cli:
        raise PyinfraError(sentence) from None
    from pyinfra_cli.exceptions import CliError  # noqa: PLC0415 (it patches the standard library)

    class EndError(PyinfraError, CliError):  # type: ignore[misc]  # untyped
        pass

    raise EndError(sentence) from None
