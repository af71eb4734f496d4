"""What a node's journal tells of DRBD."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError

from facts.own import OwnFact
from san.observe import drbd_history
from san.observe.sections import UnreadableError


class DrbdHistory(OwnFact[drbd_history.HistoryState]):
    """When each resource last lost its peer, moved on without it, and changed its role.

    .. code:: python

        state = host.get_fact(DrbdHistory, resources=(("r0", 0),))
        state.resources["r0"].parted
    """

    def command(self, resources: tuple[tuple[str, int], ...] | None = None) -> StringCommand:
        """For pairs of a name and a minor: the kernel's messages, as far as the journal goes.

        The host's own resources where none are named.
        """
        if resources is None:
            resources = tuple((one.name, one.minor) for one, _ in self.own_resources())
        return StringCommand(drbd_history.shell(resources))

    def process(self, output: list[str]) -> drbd_history.HistoryState:
        """Parse; what can't be understood fails the host."""
        try:
            return drbd_history.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
