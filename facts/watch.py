"""The watch over the group on a node."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import watch
from san.observe.sections import UnreadableError, script


class Watch(FactBase[watch.WatchState]):
    """Whether `san-watch` runs, what its last look found, and what it did about it; no secrets.

    .. code:: python

        state = host.get_fact(Watch)
        if state.report and not state.report.stale:
            [f"{each.what}: {each.said}" for each in state.report.findings]
    """

    def command(self) -> StringCommand:
        """One `cat`, and shell builtins."""
        return StringCommand(script({"watch": watch.shell()}))

    def process(self, output: list[str]) -> watch.WatchState:
        """Parse; what can't be understood fails the host."""
        try:
            return watch.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
