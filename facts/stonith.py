"""STONITH on a node: plugins, and the devices that it resets its peer with."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from facts.own import OwnFact
from san.decide.stonith import plugins as peers_plugins
from san.observe import stonith
from san.observe.sections import UnreadableError
from san.render.stonith import PLUGIN


class Stonith(OwnFact[stonith.StonithState]):
    """The parameters of each of `plugins`; None for a plugin that isn't there.

    .. code:: python

        state = host.get_fact(Stonith, plugins=("external/ipmi",))
        "ipaddr" in state.plugins["external/ipmi"].known
    """

    def command(self, plugins: tuple[str, ...] | None = None) -> StringCommand:
        """One `stonith -L`, and for each plugin `-n` and `-m`; the peer's where none are named."""
        if plugins is None:
            own = self.own()
            plugins = peers_plugins(own[0], own[1].name) if own else ()
        return StringCommand(stonith.shell(plugins))

    def process(self, output: list[str]) -> stonith.StonithState:
        """Parse; what can't be understood fails the host."""
        try:
            return stonith.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None


class StonithDevices(FactBase[tuple[stonith.Answer, ...]]):
    """What each device that this node resets its peer with says; none of them is fired.

    .. code:: python

        all(answer.ok for answer in host.get_fact(StonithDevices))
    """

    def command(self) -> StringCommand:
        """One `external/san test`, which asks all of them at once."""
        return StringCommand(stonith.devices_shell(PLUGIN))

    def process(self, output: list[str]) -> tuple[stonith.Answer, ...]:
        """Parse; what can't be understood fails the host."""
        try:
            return stonith.parse_devices(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
