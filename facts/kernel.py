"""Kernels of a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import kernel
from san.observe.sections import UnreadableError


class Kernel(FactBase[kernel.KernelState]):
    """The running kernel, those installed, the one a boot takes, headers and loaded modules.

    .. code:: python

        state = host.get_fact(Kernel)
        state.running == state.default, state.default in state.headers
    """

    def command(self, modules: tuple[str, ...] = kernel.INTERESTING) -> StringCommand:
        """One `grep` where there is GRUB; the rest is shell builtins."""
        return StringCommand(kernel.shell(modules))

    def process(self, output: list[str]) -> kernel.KernelState:
        """Parse; what can't be understood fails the host."""
        try:
            return kernel.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
