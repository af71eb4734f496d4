"""When a resource last lost its peer, moved on without it, and changed its role: the kernel's word.

For people who choose between two sides, not for decisions: a journal forgets, and each node has a
clock of its own. Which data a node has, its generation identifiers say (drbd_generations).
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .drbd_devices import APART
from .sections import UnreadableError, script, split

LINES = 500
"""Of the journal, the newest: a resource changes its state a few times in a day."""

_WORDS = r"drbd[ 0-9][^:]*: .*(role\(|conn\(|new current UUID)"
_JOURNAL = f"""\
command -v journalctl >/dev/null || exit 127
while [ $# -gt 0 ]; do
  echo "resource $1 $2"
  shift 2
done
journalctl --quiet --no-pager --output=short-unix _TRANSPORT=kernel |
  grep -E {shlex.quote(_WORDS)} | tail -n {LINES}
exit 0
"""
_LINE = re.compile(
    r"(?P<at>\d+\.\d+) \S+ kernel: "
    r"(?:block drbd(?P<minor>\d+)|drbd (?P<name>[^:/ ]+)): (?P<said>.*)"
)
_ROLE = re.compile(r"\brole\( \w+ -> (?P<role>Primary|Secondary) \)")
_CONNECTION = re.compile(r"\bconn\( (?P<old>\w+) -> (?P<new>\w+) \)")


@attrs.frozen
class Past:
    """Seconds since the epoch, by the node's clock; None where its journal doesn't say."""

    parted: float | None = None
    """It lost its peer."""
    moved_on: float | None = None
    """The first change without the peer: it began a generation of its own."""
    primary: float | None = None
    """It became Primary."""
    secondary: float | None = None
    """It became Secondary."""


@attrs.frozen
class HistoryState:
    """What a node's journal tells of its resources."""

    resources: Mapping[str, Past]
    """The last of each, by resource."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(resources: Iterable[tuple[str, int]]) -> str:
    """The script whose output `parse` reads, for pairs of a name and a minor."""
    words = shlex.join(word for name, minor in resources for word in (name, str(minor)))
    return script({"history": f"set -- {words}\n{_JOURNAL}"})


def parse(output: Iterable[str]) -> HistoryState:
    """Read the section `history`.

    Example::

        resource r0 0
        1795891203.513245 weasel kernel: drbd r0: conn( Connected -> NetworkFailure )
        1795891204.020011 weasel kernel: block drbd0: new current UUID 7F11AA23C4D5E6F1:D5CA…
    """
    section = split(output).get("history")
    if section is None:
        raise UnreadableError("the journal's answer lacks its part")
    if section.status and not section.missing:
        raise UnreadableError(f"journalctl gave no answer (status {section.status})")
    names: dict[str, str] = {}
    found: dict[str, Past] = {}
    for line in section.lines:
        if line.startswith("resource "):
            _, name, minor = line.split()
            names[minor], found[name] = name, Past()
            continue
        match = _LINE.fullmatch(line)
        of = match and (match["name"] or names.get(match["minor"]))
        if match and of in found:
            found[of] = attrs.evolve(found[of], **_told(match["said"], float(match["at"])))
    return HistoryState(found)


def _told(said: str, at: float) -> dict[str, float]:
    told = {}
    if role := _ROLE.search(said):
        told[role["role"].lower()] = at
    change = _CONNECTION.search(said)
    if change and change["new"] in APART and change["old"] not in APART:
        told["parted"] = at
    if "new current UUID" in said:
        told["moved_on"] = at
    return told
