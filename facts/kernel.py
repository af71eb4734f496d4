"""Kernels of a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import kernel
from san.observe.sections import UnreadableError


class Kernel(FactBase[kernel.KernelState]):
    """The running kernel, those installed, headers and loaded modules.

    What boots next is `KernelModules`' to say.

    .. code:: python

        state = host.get_fact(Kernel)
        state.running in state.headers
    """

    def command(self, modules: tuple[str, ...] = kernel.INTERESTING) -> StringCommand:
        """Shell builtins alone."""
        return StringCommand(kernel.shell(modules))

    def process(self, output: list[str]) -> kernel.KernelState:
        """Parse; what can't be understood fails the host."""
        try:
            return kernel.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
