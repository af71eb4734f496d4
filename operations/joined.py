"""Several facts of a host in one remote command."""

import shlex
from collections.abc import Mapping
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

Asked = tuple[type[FactBase[Any]], Mapping[str, Any]]
"""A fact, and its arguments."""


class Several(tuple[Asked, ...]):
    """Facts to ask for, as pyinfra names them in its log."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(fact.name for fact, _ in self)


class Joined(FactBase[list[Any]]):
    """What each of `asked` says, in their order; None where that can't be understood."""

    def command(self, asked: Several) -> StringCommand:
        """Their scripts, one after the other."""
        self.asked = asked
        parts: list[str | StringCommand] = []
        for number, (fact, arguments) in enumerate(asked):
            parts += [f"echo {shlex.quote(_mark(number))}", fact().command(**arguments)]
        return StringCommand(*parts, _separator="\n")

    def process(self, output: list[str]) -> list[Any]:
        """Each fact reads its own lines."""
        marks = {_mark(number): number for number in range(len(self.asked))}
        lines: list[list[str]] = [[] for _ in self.asked]
        at = 0
        for line in output:
            if line in marks:
                at = marks[line]
            else:
                lines[at].append(line)
        return [_processed(fact, own) for (fact, _), own in zip(self.asked, lines, strict=True)]


def _mark(number: int) -> str:
    return f"[san:fact {number}]"


def _processed(fact: type[FactBase[Any]], lines: list[str]) -> Any:  # noqa: ANN401 (a fact's own)
    try:
        return fact().process(lines)
    except FactProcessError:
        return None
