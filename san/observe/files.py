"""Files as they lie on a host: type, mode, owner and a digest of the content, never the content."""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from .sections import UnreadableError, script, split

Kind = Literal["file", "directory", "link", "other"]

_KINDS: Mapping[str, Kind] = {
    "regular file": "file",
    "regular empty file": "file",
    "directory": "directory",
    "symbolic link": "link",
}

_ABSENT = re.compile(
    r"stat: cannot stat(?:x)? '(?P<path>.*)': (?:No such file or directory|Not a directory)"
)
_STAT = re.compile(
    r"stat\t(?P<mode>[0-7]+)\t(?P<owner>[^\t]*)\t(?P<group>[^\t]*)\t(?P<size>\d+)"
    r"\t(?P<kind>[^\t]*)\t(?P<path>.*)"
)
_SHA256 = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<path>.*)")

_FORMAT = r"stat\t%a\t%U\t%G\t%s\t%F\t%n\n"

_SHELL = """\
set -- {paths}
LC_ALL=C stat --printf={format} -- "$@"
for path do
  shift
  if [ -f "$path" ]; then set -- "$@" "$path"; fi
done
if [ $# -gt 0 ]; then LC_ALL=C sha256sum -- "$@"; fi
exit 0
"""


@attrs.frozen
class FileState:
    """A file, a directory, a symbolic link, or another thing (device, socket) at a path."""

    kind: Kind
    mode: int
    """Permission bits: 0o600."""
    owner: str
    group: str
    size: int
    """Bytes."""
    sha256: str | None
    """Of the content, in lower-case hex; a link's is that of the file it leads to. None where
    there is no content: a directory, a device, a link that leads nowhere."""

    def matches(self, sha256: str, mode: int, owner: str = "root", group: str = "root") -> bool:
        """Whether it is a regular file of that content, mode and owner."""
        return (self.kind, self.sha256, self.mode, self.owner, self.group) == (
            "file",
            sha256,
            mode,
            owner,
            group,
        )

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell(paths: Iterable[str]) -> str:
    """The script whose output `parse` reads: one stat and one sha256sum for all `paths`."""
    wanted = shlex.join(paths)
    part = _SHELL.format(paths=wanted, format=shlex.quote(_FORMAT)) if wanted else "exit 0"
    return script({"files": part})


def parse(output: Iterable[str]) -> dict[str, FileState | None]:
    """Read the section `files`: what is at each path, None where nothing is.

    Example (tabs shown as spaces)::

        stat 600 root root 214 regular file /etc/ha.d/authkeys
        stat: cannot statx '/etc/exports': No such file or directory
        4b68ab3847feda7d6c62c1fbcbeebfa35eab7351ed5e78f4ddadea5df64b8015  /etc/ha.d/authkeys
    """
    sections = split(output)
    if "files" not in sections:
        raise UnreadableError("the files' answer lacks its part")
    section = sections["files"]
    if section.status:
        raise UnreadableError(f"the files can't be read: status {section.status} of stat")
    found: dict[str, FileState | None] = {}
    digests: dict[str, str] = {}
    for line in section.lines:
        if match := _STAT.fullmatch(line):
            found[match["path"]] = _state(match)
        elif match := _ABSENT.fullmatch(line):
            found[match["path"]] = None
        elif match := _SHA256.fullmatch(line):
            digests[match["path"]] = match["digest"]
        elif line:
            raise UnreadableError(f"the files can't be read: {line}")
    return {path: _digested(path, state, digests) for path, state in found.items()}


def _state(match: "re.Match[str]") -> FileState:
    return FileState(
        kind=_KINDS.get(match["kind"], "other"),
        mode=int(match["mode"], 8),
        owner=match["owner"],
        group=match["group"],
        size=int(match["size"]),
        sha256=None,
    )


def _digested(path: str, state: FileState | None, digests: Mapping[str, str]) -> FileState | None:
    if state is None:
        return None
    digest = digests.get(path)
    if state.kind == "file" and digest is None:
        raise UnreadableError(f"{path} changed while it was read; run again")
    return attrs.evolve(state, sha256=digest) if state.kind in {"file", "link"} else state
