"""haresources as Heartbeat's ResourceManager reads it."""

import re
from collections.abc import Iterator

import attrs

_ADDRESS = re.compile(r"[0-9].*(\.[0-9].*){3}")


@attrs.frozen
class Resource:
    """A script and its arguments: `LVM::storage`; a bare address stands for IPaddr."""

    script: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "::".join((self.script, *self.arguments))


@attrs.frozen
class ResourceGroup:
    """Resources that move together, started from left to right and stopped in reverse."""

    node: str
    """The preferred node, in lower case as Heartbeat compares it."""
    resources: tuple[Resource, ...]


def parse_haresources(text: str) -> tuple[ResourceGroup, ...]:
    """Read haresources: comments, lines continued by a backslash, several groups.

    As ResourceManager's own reader has it, nothing is put between a line and its continuation,
    and only a line that starts a group may end in a comment: on a continuation, `#` is taken for
    a resource.
    """
    return tuple(_group(line) for line in _lines(text) if line.strip(" \t"))


def _lines(text: str) -> Iterator[str]:
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        joined = line.partition("#")[0]
        while joined.endswith("\\"):
            following = next(lines, None)
            if following is None:
                break
            joined = joined[:-1] + following
        yield joined


def _group(line: str) -> ResourceGroup:
    node, *resources = re.split(r"[ \t]+", line.strip(" \t"))
    return ResourceGroup(node.lower(), tuple(_resource(word) for word in resources))


def _resource(word: str) -> Resource:
    if _ADDRESS.fullmatch(word):
        return Resource("IPaddr", (word,))
    script, *arguments = word.split("::")
    return Resource(script, tuple(arguments))
