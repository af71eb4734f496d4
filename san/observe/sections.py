"""Several commands' output in one answer: each a section with its exit status.

A fact costs a remote command, so it asks for all that its subsystem needs at once. The sections
keep apart what a bare pipe would mix: a tool that is missing, one that failed, and one that
succeeded and had nothing to say.
"""

import re
import shlex
from collections.abc import Iterable, Mapping

import attrs

_BEGIN = re.compile(r"\[san:begin ([a-z0-9_.-]+)\]")
_END = re.compile(r"\[san:end ([a-z0-9_.-]+) (\d+)\]")

NOT_FOUND = 127
"""The shell's exit status for a command that isn't there (POSIX, 2.8.2)."""

READ_LIMIT = 20
"""Seconds a part may take: reading /proc/net/iet/session or a stuck LVM can hang for ever."""


class UnreadableError(ValueError):
    """A tool answered what can't be understood, or not at all: not to be taken for 'empty'."""


@attrs.frozen
class Section:
    """One command's standard output and error, line by line, and its exit status."""

    status: int
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The output as one string."""
        return "\n".join(self.lines)

    @property
    def missing(self) -> bool:
        """Whether the command's program is not installed."""
        return self.status == NOT_FOUND


def script(parts: Mapping[str, str], limit: int | None = None) -> str:
    """The shell script that runs each of `parts` (section name to shell text) for `split`.

    A part that takes over `limit` seconds, READ_LIMIT unless told, ends with status 124, as
    timeout(1) has it.
    """
    return "\n".join(
        f"echo '[san:begin {name}]'; timeout {limit or READ_LIMIT} sh -c {shlex.quote(part)} 2>&1; "
        f'status=$?; echo; echo "[san:end {name} $status]"'
        for name, part in parts.items()
    )


def split(lines: Iterable[str]) -> dict[str, Section]:
    """Sections by name. Raises UnreadableError where one has no end: the answer was cut off."""
    found: dict[str, Section] = {}
    name: str | None = None
    body: list[str] = []
    for line in lines:
        if name is None:
            if begin := _BEGIN.fullmatch(line):
                name, body = begin[1], []
        elif (end := _END.fullmatch(line)) and end[1] == name:
            found[name] = Section(int(end[2]), tuple(body[:-1] if body and not body[-1] else body))
            name = None
        else:
            body.append(line)
    if name is not None:
        raise UnreadableError(f"the answer ends within its part {name!r}")
    return found
