"""DRBD on a host."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError

from facts.own import OwnFact
from san.observe import drbd
from san.observe.sections import UnreadableError
from san.render.programs import CONTENT


class Drbd(OwnFact[drbd.DrbdState]):
    """Devices by minor, backing disks by resource, generations, and what `adjust` would run.

    .. code:: python

        state = host.get_fact(Drbd, resources=(("r0", 0, "/dev/vdb"),))
        state.devices[0].healthy, state.disks["r0"].blank
    """

    def command(
        self,
        resources: tuple[tuple[str, int, str], ...] | None = None,
        *,
        every_generation: bool = False,
    ) -> StringCommand:
        """For triples of a name, a minor and a backing disk, the host's own where none are named.

        Reads only, loads no module.
        """
        if resources is None:
            resources = tuple((one.name, one.minor, disk) for one, disk in self.own_resources())
        return StringCommand(
            drbd.shell(resources, content=CONTENT, every_generation=every_generation)
        )

    def process(self, output: list[str]) -> drbd.DrbdState:
        """Parse; what can't be understood fails the host."""
        try:
            return drbd.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
