"""LVM on a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import lvm
from san.observe.sections import UnreadableError


class Lvm(FactBase[lvm.LvmState]):
    """Physical volumes, groups and logical volumes, the filter in force, and LVM's warnings.

    .. code:: python

        state = host.get_fact(Lvm)
        state.lv("storage", "test").size
    """

    def command(self) -> StringCommand:
        """One `lvm fullreport`, one `lvm lvmconfig`."""
        return StringCommand(lvm.shell())

    def process(self, output: list[str]) -> lvm.LvmState:
        """Parse; what can't be understood fails the host."""
        try:
            return lvm.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
