"""Debian packages and systemd units of a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import packages
from san.observe.sections import UnreadableError


class Packages(FactBase[packages.PackagesState]):
    """Which of the packages `names` are installed, and how the systemd `units` stand.

    .. code:: python

        state = host.get_fact(Packages, names=("drbd-utils",), units=("drbd.service",))
        state.missing, state.units["drbd.service"].enabled
    """

    def command(self, names: tuple[str, ...], units: tuple[str, ...] = ()) -> StringCommand:
        """One `dpkg --audit`, one `dpkg-query`, one `systemctl show`."""
        return StringCommand(packages.shell(names, units))

    def process(self, output: list[str]) -> packages.PackagesState:
        """Parse; what can't be understood fails the host."""
        try:
            return packages.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
