"""Whether a node's new replicated disks hold anything."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import content
from san.observe.sections import UnreadableError
from san.render.programs import CONTENT


class DrbdContent(FactBase[content.ContentState]):
    """What reading all that is replicated of each disk finds, in at most a minute a disk.

    .. code:: python

        state = host.get_fact(DrbdContent, resources=((0, "/dev/disk/by-id/virtio-data"),))
        state.disks[0].zero
    """

    def command(self, resources: tuple[tuple[int, str], ...]) -> StringCommand:
        """For pairs of a minor and its backing disk; reads past every cache, and only reads."""
        return StringCommand(content.shell(resources, CONTENT))

    def process(self, output: list[str]) -> content.ContentState:
        """Parse; what can't be understood fails the host."""
        try:
            return content.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
