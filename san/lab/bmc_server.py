"""A node's BMC, as a program: IPMI over LAN in front of the node's QEMU.

Run as `python -m san.lab.bmc_server DIRECTORY HOST PORT`. What is broken it reads from the lab's
state at each request, so that a restored snapshot brings its own faults.
"""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyghmi.ipmi.bmc import Bmc

from san.lab.bmc import PASSWORD, USER
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout
from san.lab.state import Faults

DONE = 0x00
NOT_NOW = 0xD5
"""The command isn't supported in this state: a reset of a machine that is off."""
FAILED = 0xFF
"""Completion codes (IPMI 2.0, table 5-2)."""

_TURN_S = 60.0  # of the event loop, which any packet ends sooner


class NodeBmc(Bmc):  # type: ignore[misc]  # pyghmi has no types
    """The BMC of one node; what changes its power returns a completion code."""

    def __init__(self, lab: Lab, host: str, port: int) -> None:
        super().__init__({USER: PASSWORD}, port=port, address="127.0.0.1")
        self.lab = lab
        self.host = host

    def sessionless_data(self, data: bytes, sockaddr: object) -> None:
        """Take a packet outside of a session; a BMC that is cut off is mute."""
        if self.host not in self._faults().bmc_cut:
            super().sessionless_data(data, sockaddr)

    def handle_raw_request(self, request: Any, session: Any) -> None:  # noqa: ANN401 (pyghmi's)
        """Take a request of a session."""
        if self.host not in self._faults().bmc_cut:
            super().handle_raw_request(request, session)

    def get_power_state(self) -> str:
        """`on` or `off`."""
        return "on" if self.lab.powered(self.host) else "off"

    def power_off(self) -> int:
        """Take the power away at once."""
        return self._act(self.lab.power_cut)

    def power_on(self) -> int:
        """Give the power, unless it is there."""
        return DONE if self.lab.powered(self.host) else self._act(self.lab.power_on)

    def power_reset(self) -> int:
        """Press the reset button."""
        return self._act(self.lab.reset) if self.lab.powered(self.host) else NOT_NOW

    def power_cycle(self) -> int:
        """Off, and on again."""
        if not self.lab.powered(self.host):
            return NOT_NOW
        return self.power_off() or self.power_on()

    def _act(self, action: Callable[[str], None]) -> int:
        """Do something with the machine; a BMC that lies says that it did."""
        if self.host in self._faults().bmc_lie:
            return DONE
        try:
            action(self.host)
        except LabError:
            traceback.print_exc()
            return FAILED
        return DONE

    def _faults(self) -> Faults:
        try:
            return self.lab.state.faults
        except LabError:  # the lab is still starting
            return Faults()


def main(directory: str, host: str, port: str) -> None:
    """Answer until the process is ended."""
    NodeBmc(Lab(Layout(Path(directory))), host, int(port)).listen(_TURN_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
