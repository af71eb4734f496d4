"""Waiting for what the client's writer sees, within limits."""

import time
from collections.abc import Callable

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from .client import Client
from .errors import DrillFailedError

FIRST_ACK = 60.0  # seconds: Python starts in about 2 under emulation; the disk may be busy
RECOVERY = 180.0  # seconds: Pacemaker and NFS's grace take 55 to 90; after three minutes it's down
RESUMED = 60.0  # seconds in which steady writing must be had
POLL = 1.0  # seconds between two looks at the client; one costs it about 0.3 under emulation


def started(client: Client) -> None:
    """Wait until the first write is acknowledged."""
    if not until(lambda: client.acked() > 0, FIRST_ACK):
        raise DrillFailedError(
            f"no write of {client.name} was acknowledged within {FIRST_ACK:.0f} s, before any "
            f"fault; the writer says: {client.complaint() or 'nothing'}"
        )


def steady(client: Client, seconds: float) -> None:
    """Wait until writes have been acknowledged for `seconds` without a pause."""
    acked, since = client.acked(), time.monotonic()

    def long_enough() -> bool:
        nonlocal acked, since
        before, acked = acked, client.acked()
        if acked == before:
            since = time.monotonic()
        return time.monotonic() - since >= seconds

    if not until(long_enough, seconds + RESUMED):
        raise DrillFailedError(
            f"{client.name} had no {seconds:.0f} s of writing without a pause within "
            f"{seconds + RESUMED:.0f} s; look at `multipath -ll` and `journalctl -k` there"
        )


def until(condition: Callable[[], bool], limit: float, every: float = POLL) -> bool:
    """Look `every` so many seconds until the condition holds; False when `limit` have passed."""
    looking = Retrying(
        retry=retry_if_result(lambda held: not held),
        stop=stop_after_delay(limit),
        wait=wait_fixed(every),
    )
    try:
        return looking(condition)
    except RetryError:
        return False
