"""The serial cable between both nodes, as a program of its own: a null-modem cable loses bytes.

QEMU's own cable, one socket between two machines, makes the sender wait for a receiver that
doesn't read: its transmitter never gets empty, and Linux waits for that without end where a program
sets up the port (a Heartbeat that starts beside a stopped or frozen one). A real 16550 sends at its
rate, heard or not.
"""

import asyncio
import sys

from san.lab import process
from san.lab.layout import Layout

NAME = "serial-cable"
"""What the process is called: its record and its log."""


def start(layout: Layout) -> None:
    """Start the cable; returns when a machine can be plugged in."""
    socket = layout.cable()
    words = [sys.executable, "-m", "san.lab.serial_cable", str(socket)]
    process.spawn(words, layout.processes / f"{NAME}.json", layout.log(NAME))
    process.wait_socket(socket)


class End(asyncio.Protocol):
    """One machine's end; what another one doesn't take at once is lost."""

    def __init__(self, ends: set["End"]) -> None:
        self.ends = ends
        self.transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A machine is plugged in."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 (a stream's is)
        self.transport = transport
        self.ends.add(self)

    def data_received(self, data: bytes) -> None:
        """Hand on what a machine has sent."""
        for end in self.ends - {self}:
            if not end.transport.get_write_buffer_size():
                end.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's name)
        """A machine has lost its power, or its end was pulled."""
        self.ends.discard(self)


async def carry(path: str) -> None:
    """Join the machines that plug themselves in at the socket `path`, until cancelled."""
    ends: set[End] = set()
    server = await asyncio.get_running_loop().create_unix_server(lambda: End(ends), path)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(carry(sys.argv[1]))
