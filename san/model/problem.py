"""What is wrong with an inventory: one sentence a finding, with its path, all of them at once."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from .site import Site


@attrs.frozen
class Problem:
    """One finding: where in the inventory, and a sentence that says what and what to do."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


class InventoryError(SystemExit):
    """The inventory can't be used; `problems` says why.

    A SystemExit, so that whoever loads the inventory (pyinfra before its first connection,
    `san check`, a Python shell) prints the sentences instead of a traceback and ends with 1.
    """

    def __init__(self, problems: Iterable[Problem], site: "Site | None" = None) -> None:
        self.problems = tuple(problems)
        self.site = site
        """The site as far as it was declared: `san secrets init` reads it to supply what lacks."""
        super().__init__("\n".join(f"inventory: {problem}" for problem in self.problems))


def below(prefix: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Give `problems` of a part the path they have in the whole."""
    for problem in problems:
        glue = "" if problem.path.startswith("[") or not problem.path or not prefix else "."
        yield Problem(f"{prefix}{glue}{problem.path}", problem.sentence)
