"""Debian packages and systemd units of a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import packages
from san.observe.sections import UnreadableError


class Packages(FactBase[packages.PackagesState]):
    """Every installed package, whether dpkg is in order, and how the systemd `units` stand.

    .. code:: python

        state = host.get_fact(Packages, units=("drbd.service",))
        "drbd-utils" in state.installed, state.units["drbd.service"].enabled
    """

    def command(self, units: tuple[str, ...] = ()) -> StringCommand:
        """One `dpkg-query`, one `systemctl show`; `dpkg --audit` where a package isn't settled."""
        return StringCommand(packages.shell(units))

    def process(self, output: list[str]) -> packages.PackagesState:
        """Parse; what can't be understood fails the host."""
        try:
            return packages.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
