"""Texts of files as they lie on a host, to be compared by people: secrets are masked there."""

import re
import shlex
from collections.abc import Iterable

from .sections import UnreadableError, script, split

MASK = "****"

_BEFORE = (
    "^[ \t]*[0-9]+[ \t]+[a-z0-9]+[ \t]"  # authkeys: 1 sha1 SECRET
    "|^[ \t]*(account|IncomingUser|OutgoingUser)[ \t]+[^ \t]+"  # stgt.conf, ietd.conf
    "|^[ \t]+[A-Za-z][A-Za-z0-9_-]*="  # stonith.conf: a device's parameters
    "|^[ \t]*stonith(_host[ \t]+[^ \t]+)?[ \t]+[^ \t]+"  # ha.cf: the plugin, then its parameters
    "|[A-Za-z0-9_.-]*([Pp]ass|[Pp][Ss][Kk]|[Ss]ecret|[Cc]ommunity)[A-Za-z_]*"
)
"""What stands before a secret on its line, for sed -E and for Python alike."""

_PYTHON = re.compile(f"({_BEFORE}).*")
_SED = f"s/({_BEFORE}).*/\\1 {MASK}/"
_MOST = 1 << 20
"""Bytes of a file that are read: none of ours has a tenth of that."""


def masked(text: str) -> tuple[str, ...]:
    """The lines of `text`, with all that may be a secret masked."""
    return tuple(_PYTHON.sub(rf"\1 {MASK}", line) for line in text.splitlines())


def shell(paths: Iterable[str]) -> str:
    """The script whose output `parse` reads: each text, masked before it leaves the host.

    Ours, too: somebody may have added a line of his own to it.
    """
    return script({f"text-{index}": _part(path) for index, path in enumerate(paths)})


def _part(path: str) -> str:
    file = shlex.quote(path)
    mask = f"head -c {_MOST} {file} | LC_ALL=C sed -E {shlex.quote(_SED)}"
    return f"echo {file}; [ -f {file} ] || exit 1; {mask}"


def parse(output: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read the sections `text-0`, `text-1`, …: a path, and the lines of the file there."""
    sections = split(output).values()
    failed = [section.text for section in sections if section.status or not section.lines]
    if failed:
        raise UnreadableError(f"a file's text can't be read: {'; '.join(failed)}")
    return {section.lines[0]: section.lines[1:] for section in sections}
