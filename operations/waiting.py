"""Waiting on what is observed, with a limit and a reason."""

from collections.abc import Callable

from pyinfra.context import host, state
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from operations.observation import forget
from san.decide.refusal import Refusal

PAUSE = 1.0
"""Seconds between two looks: each costs a remote command."""


def until(what: str, amiss: Callable[[], str | None], *, limit: float) -> None:
    """Look, and look again, until `amiss` returns None; it says what is still not as it should be.

    The first look takes what this run knows already. Raises Refusal with the last answer after
    `limit` seconds. A plan waits for nothing.
    """
    if not state.is_executing:
        return
    cluster = host.data.cluster
    waiting = Retrying(
        stop=stop_after_delay(limit),
        wait=wait_fixed(PAUSE),
        retry=retry_if_result(lambda answer: answer is not None),
        before_sleep=lambda _: forget(cluster),
    )
    try:
        waiting(amiss)
    except RetryError as ended:
        raise Refusal(f"waited {limit:.0f} s for {what}: {ended.last_attempt.result()}") from None
