"""In which logical volumes a node's replicated disks have changed."""

import shlex

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError

from facts.own import OwnFact
from san.observe import drbd_changes
from san.observe.sections import UnreadableError, script
from san.render.programs import CHANGES

LIMIT = 120
"""Seconds for a resource: a bitmap of terabytes, read and printed."""


class DrbdChanges(OwnFact[drbd_changes.ChangesState]):
    """Where each resource has changed since its peer had all of it, as far as DRBD's disk tells.

    .. code:: python

        state = host.get_fact(DrbdChanges, resources=((0, "/dev/disk/by-id/virtio-data"),))
        state.resources[0].volumes["storage/test"]  # KiB
    """

    def command(self, resources: tuple[tuple[int, str], ...] | None = None) -> StringCommand:
        """For pairs of a minor and its backing disk: DRBD's bitmap on LVM's map.

        The host's own resources where none are named.
        """
        if resources is None:
            resources = tuple((one.minor, disk) for one, disk in self.own_resources())
        return StringCommand(
            script(
                {
                    drbd_changes.section(minor): shlex.join(
                        ("perl", "-e", CHANGES, str(minor), disk)
                    )
                    for minor, disk in resources
                },
                LIMIT,
            )
            or ":"
        )

    def process(self, output: list[str]) -> drbd_changes.ChangesState:
        """Parse; what can't be understood fails the host."""
        try:
            return drbd_changes.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
