"""Stopping with a reason, before or between changes."""

from collections.abc import Iterator
from typing import NoReturn

from pyinfra import logger
from pyinfra.api.command import FunctionCommand, PyinfraCommand
from pyinfra.api.exceptions import OperationError
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import host, state


def _fails(state: State, host: Host) -> bool:  # noqa: ARG001 (pyinfra asks for these names)
    return False


def refused(reason: str) -> Iterator[PyinfraCommand]:
    """Stop the run with `reason`: what was found, where, and what to do next.

    While the plan is made this raises, so that a dry run shows it. While the plan is executed only
    this host fails: its peers finish the operation they are in, and config.py ends the run there.
    """
    if not state.is_executing:
        _raise(reason)
    host.log_styled(reason, fg="red", log_func=logger.error)
    yield FunctionCommand(_fails, (), {})


def _raise(reason: str) -> NoReturn:
    raise OperationError(f"{host.data.member.name}: {reason}")
