"""Whether a node's new replicated disks hold anything."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError

from facts.own import OwnFact
from san.observe import content
from san.observe.sections import UnreadableError
from san.render.programs import CONTENT


class DrbdContent(OwnFact[content.ContentState]):
    """What reading all that is replicated of each disk finds, in at most a minute a disk.

    .. code:: python

        state = host.get_fact(DrbdContent, resources=((0, "/dev/disk/by-id/virtio-data"),))
        state.disks[0].zero
    """

    def command(self, resources: tuple[tuple[int, str], ...] | None = None) -> StringCommand:
        """For pairs of a minor and its backing disk; reads past every cache, and only reads.

        The host's own resources where none are named.
        """
        if resources is None:
            resources = tuple((one.minor, disk) for one, disk in self.own_resources())
        return StringCommand(content.shell(resources, CONTENT) or ":")

    def process(self, output: list[str]) -> content.ContentState:
        """Parse; what can't be understood fails the host."""
        try:
            return content.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
