"""DRBD on a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import drbd
from san.observe.sections import UnreadableError
from san.render.programs import CONTENT


class Drbd(FactBase[drbd.DrbdState]):
    """Devices by minor, backing disks by resource, generations, and what `adjust` would run.

    .. code:: python

        state = host.get_fact(Drbd, resources=(("r0", 0, "/dev/vdb"),))
        state.devices[0].healthy, state.disks["r0"].blank
    """

    def command(
        self, resources: tuple[tuple[str, int, str], ...], *, every_generation: bool = False
    ) -> StringCommand:
        """For triples of a name, a minor and a backing disk; reads only, loads no module."""
        return StringCommand(
            drbd.shell(resources, content=CONTENT, every_generation=every_generation)
        )

    def process(self, output: list[str]) -> drbd.DrbdState:
        """Parse; what can't be understood fails the host."""
        try:
            return drbd.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
