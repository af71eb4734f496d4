"""Kernel modules of a node."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import kmodule
from san.observe.sections import UnreadableError
from san.render.kmod import PROGRAM


class KernelCandidate(FactBase[str]):
    """The newest kernel of the running one's kind that apt has; empty where it has none."""

    def command(self) -> StringCommand:
        """One `apt-cache`."""
        return StringCommand(PROGRAM, "candidate")

    @staticmethod
    def default() -> str:
        """No output: apt has none."""
        return ""

    def process(self, output: list[str]) -> str:
        """Take the only line."""
        return "".join(output[:1])


class KernelModules(FactBase[kmodule.KernelModulesState]):
    """The node's kernels, and how each declared module stands for each of them.

    .. code:: python

        state = host.get_fact(KernelModules)
        state.builds["iscsi_trgt", state.next].usable
    """

    def command(self) -> StringCommand:
        """One call of `san-kmod report`."""
        return StringCommand(kmodule.shell(PROGRAM))

    def process(self, output: list[str]) -> kmodule.KernelModulesState:
        """Parse; what can't be understood fails the host."""
        try:
            return kmodule.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
