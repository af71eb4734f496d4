"""The serial cable: what isn't taken is lost, and nobody waits for it."""

import asyncio
import socket
from pathlib import Path

import pytest

from san.lab import serial_cable


@pytest.fixture
def on_a_cable(tmp_path: Path):
    """Run a coroutine that plugs ends in."""
    path = str(tmp_path / "serial")

    async def plugged(act):
        cable = asyncio.create_task(serial_cable.carry(path))
        async with asyncio.timeout(20):
            while not Path(path).is_socket():
                await asyncio.sleep(0.01)
            await act(lambda: asyncio.open_unix_connection(path))
        cable.cancel()

    return lambda act: asyncio.run(plugged(act))


def test_what_one_end_says_reaches_the_other(on_a_cable):
    async def act(plug):
        (hears, answers), (listens, says) = await plug(), await plug()
        says.write(b"ping")
        assert await hears.readexactly(4) == b"ping"
        answers.write(b"pong")
        assert await listens.readexactly(4) == b"pong"

    on_a_cable(act)


def test_an_end_that_nobody_reads_keeps_nobody_waiting(on_a_cable):
    """Linux's transmitter gets empty, as with a real cable beside a stopped Heartbeat."""

    async def act(plug):
        _, says = await plug()
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(says.get_extra_info("peername"))
            for _ in range(64):
                says.write(b"x" * 65536)
                await says.drain()
            deaf.setblocking(False)
            received, chunk = 0, b""
            while not chunk.endswith(b"."):
                says.write(b".")
                chunk = await asyncio.get_running_loop().sock_recv(deaf, 65536)
                received += len(chunk)
        assert received < 32 * 65536, "most of it was lost"

    on_a_cable(act)


def test_the_other_end_may_be_away(on_a_cable):
    """A power cut takes its end out; plugged in again it hears what is said then."""

    async def act(plug):
        (hears, leaves), (_, says) = await plug(), await plug()
        leaves.close()
        await leaves.wait_closed()
        says.write(b"lost")
        while True:
            hears, again = await plug()
            says.write(b"heard")
            if await hears.readexactly(5) == b"heard":
                break
        again.close()

    on_a_cable(act)
