"""What a run would do, told while its plan is made: each command, each file.

pyinfra takes an operation's first command for a change, looks no further, and shows a count.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from pyinfra.api.command import FunctionCommand, PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host, state

from operations.refusal import UnobservedError
from san.decide.refusal import Refusal

_SCRIPT = ("sh", "-c")


@runtime_checkable
class Telling(Protocol):
    """A command that knows better than its words what it does."""

    def told(self) -> Iterator[str]:
        """Lines for people."""


def planned(commands: Iterator[PyinfraCommand]) -> Iterator[PyinfraCommand]:
    """The commands as far as they can be told beforehand, each of them shown.

    What follows the first is decided anew once that has run. So a refusal there is none: it judges
    the host as it was before.
    """
    found: list[PyinfraCommand] = []
    try:
        for command in commands:
            found.append(command)
            tell(command)
    except (Refusal, UnobservedError):
        if not found:
            raise
        _say("what follows is decided then")
    yield from found


def tell(command: PyinfraCommand) -> None:
    """Show a command under its operation's name; a secret in it stays hidden."""
    for line in command.told() if isinstance(command, Telling) else (_words(command),):
        _say(line)


def _say(line: str) -> None:
    names = state.get_op_meta(host.current_op_hash).names if host.current_op_hash else ()
    host.log(f"{', '.join(names)}: {line}")


def _words(command: PyinfraCommand) -> str:
    if isinstance(command, FunctionCommand):
        # A partial has its function's name one level below.
        function = getattr(command.function, "func", command.function)
        said = [
            str(each) for each in getattr(command.function, "args", ()) if isinstance(each, str)
        ]
        return " ".join((function.__name__.strip("_").replace("_", " "), *said))
    if isinstance(command, StringCommand) and command.bits[:2] == _SCRIPT:
        # A script of ours: its name, and what it is given.
        return " ".join(_plain(bit) for bit in command.bits[3:])
    return str(command) if isinstance(command, StringCommand) else repr(command)


def _plain(bit: object) -> str:
    return str(bit.obj if isinstance(bit, QuoteString) else bit)
