"""What a drill needs of the lab. `san.lab.lab.Lab` is it."""

from typing import Protocol


class Answer(Protocol):
    """What a command on a host came to."""

    @property
    def stdout(self) -> str: ...  # noqa: D102 (as in subprocess)
    @property
    def stderr(self) -> str: ...  # noqa: D102
    @property
    def returncode(self) -> int: ...  # noqa: D102


class Hosts(Protocol):
    """Machines that run commands and can lose their power."""

    @property
    def accel(self) -> str:
        """`kvm`, or `tcg` for software emulation."""

    @property
    def suite(self) -> str:
        """The Debian suite of the hosts."""

    def ssh(
        self,
        host: str,
        command: str,
        *,
        check: bool = True,
        timeout: float = ...,
        input: str | None = None,  # noqa: A002 (as in subprocess)
    ) -> Answer:
        """Run a shell command on a host; `timeout` in seconds."""

    def power_cut(self, host: str) -> None:
        """Take a host's power away, at once."""
