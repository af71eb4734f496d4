"""Stopping with a reason, before or between changes."""

from collections.abc import Iterator

from pyinfra.api.command import FunctionCommand, PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import state

from operations import together


class UnobservedError(PyinfraError):
    """A fact could not be read, so nothing may be decided on it."""


def _fails(state: State, host: Host) -> bool:  # noqa: ARG001 (pyinfra asks for these names)
    return False


def refused(reason: str) -> Iterator[PyinfraCommand]:
    """Stop the run for this host's cluster: what was found, where, and what to do next.

    While the plan is made, so that a dry run shows it, and while it is executed: its peers finish
    the operation that they are in.
    """
    together.leave(reason)
    if state.is_executing:
        yield FunctionCommand(_fails, (), {})
