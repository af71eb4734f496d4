"""Waiting on what is observed, with a limit and a reason."""

from collections.abc import Callable

from pyinfra.context import host
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from operations.observation import forget
from san.decide.refusal import Refusal

PAUSE = 1.0
"""Seconds between two looks: each costs a remote command."""


def until(what: str, holds: Callable[[], str | None], *, limit: float) -> None:
    """Look again until `holds` returns None; it returns what is still amiss.

    Raises Refusal with the last answer after `limit` seconds.
    """

    def look() -> str | None:
        forget(host.data.cluster)
        return holds()

    waiting = Retrying(
        stop=stop_after_delay(limit),
        wait=wait_fixed(PAUSE),
        retry=retry_if_result(lambda amiss: amiss is not None),
    )
    try:
        waiting(look)
    except RetryError as ended:
        raise Refusal(f"waited {limit:.0f} s for {what}: {ended.last_attempt.result()}") from None
