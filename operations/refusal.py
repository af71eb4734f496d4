"""Stopping with a reason, before or between changes."""

from collections.abc import Iterator
from typing import IO, Any, NoReturn

import click
from pyinfra import logger
from pyinfra.api.command import FunctionCommand, PyinfraCommand
from pyinfra.api.exceptions import OperationError, PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import host, state
from pyinfra_cli.exceptions import CliError


class UnobservedError(PyinfraError):
    """A fact could not be read, so nothing may be decided on it."""


class RefusedError(OperationError, CliError):  # type: ignore[misc]  # pyinfra_cli has no types
    """Ends pyinfra's command with a sentence alone; another error has its file and line before it.

    pyinfra's command lets its own CliError pass as it is.
    """

    def __init__(self, reason: str) -> None:
        CliError.__init__(self, reason)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence, first on its line."""
        click.secho(self.message, fg="red", err=file is None, file=file)


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
    raise RefusedError(f"{host.data.member.name}: {reason}")
