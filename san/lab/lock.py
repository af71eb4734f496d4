"""One command at a time changes a lab."""

import contextlib
import fcntl
from collections.abc import Iterator

import tenacity

from san.lab.errors import LabError
from san.lab.layout import Layout

_LIMIT_S = 120.0  # every command but `up` and `down` is over long before


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the lab's lock; wait for whoever holds it."""
    layout.directory.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("a") as handle:
        try:
            for attempt in tenacity.Retrying(
                stop=tenacity.stop_after_delay(_LIMIT_S),
                wait=tenacity.wait_fixed(0.1),
                retry=tenacity.retry_if_exception_type(BlockingIOError),
                reraise=True,
            ):
                with attempt:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"another command holds {layout.lock} since {_LIMIT_S:.0f} s: wait for its end"
            raise LabError(msg) from None
        yield
