"""What the terminal shows while something takes its time."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report:
    """Shows each step while it runs, and how long it took."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Print one line."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show `name` with a running clock; leave one line with its time behind."""
        start = time.monotonic()
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=self.console, transient=True) as progress:
                progress.add_task(name)
                yield
        else:
            self.say(f"{name} …")
            yield
        self.say(f"{name}: {time.monotonic() - start:.1f} s")


class Silent(Report):
    """Shows nothing: for callers that report by themselves."""

    def say(self, text: str) -> None:
        """Print nothing."""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:  # noqa: ARG002
        """Show nothing."""
        yield
