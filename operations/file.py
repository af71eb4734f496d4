"""Putting the rendered files of one area in place."""

from collections.abc import Iterator
from difflib import unified_diff
from functools import cache

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.context import host, state

from facts.files import Files, Texts
from facts.initiator import Initiator
from facts.network import Network
from operations.observation import observed
from san.decide.links import manager
from san.model import Cluster, Node
from san.observe.files import FileState
from san.observe.texts import MASK, masked
from san.render.files import File, client_files, node_files
from san.render.kmod import unwanted

_INSTALL = """\
set -eu
directory=$(dirname -- "$1")
mkdir -p -- "$directory"
umask 077
rm -rf -- "$directory"/.san.??????  # what a killed run left; the lock keeps a living one away
stage=$(mktemp -d -- "$directory/.san.XXXXXX")
trap 'rm -rf -- "$stage"' EXIT
cat > "$stage/new"
chmod -- "$2" "$stage/new"
sync -- "$stage/new"
mv -f -- "$stage/new" "$1"
"""


class Installation(StringCommand):
    """The command that puts a file in place, and what is told of it in a plan."""

    def __init__(self, file: File, *then: str) -> None:
        super().__init__(
            "sh",
            "-c",
            QuoteString(_INSTALL),
            "san-install",
            QuoteString(file.path),
            f"{file.mode:04o}",
            *(("&&", *then) if then else ()),
            _stdin=file.content,
        )
        self.file = file
        self.then = then

    def told(self) -> Iterator[str]:
        """What the file is, what was there, and with `--diff` each line that differs."""
        found = observed(host, Files, paths=(self.file.path,)).get(self.file.path)
        what = "new" if found is None else "changed"
        if found is not None and found.sha256 == self.file.sha256:
            what = f"{found.mode:04o} and {found.owner} before"
        then = f", then {' '.join(self.then)}" if self.then else ""
        yield f"install {self.file.path} ({self.file.mode:04o}, {what}){then}"
        if state.config.DIFF and what in {"new", "changed"}:
            yield from self._differences(there=found is not None and found.sha256 is not None)

    def _differences(self, *, there: bool) -> Iterator[str]:
        path = self.file.path
        old = observed(host, Texts, paths=(path,))[path] if there else ()
        new = masked(self.file.content)
        lines = list(unified_diff(old, new, n=2, lineterm=""))[2:]  # without its heading
        yield from lines or (f"what differs is masked: it may be a secret ({MASK})",)


def install(file: File, *then: str) -> Installation:
    """The command that puts `file` in place: staged 0700, whole or not at all, never in argv.

    `then` follows in the same command where that succeeds, so that no kill comes between.
    """
    return Installation(file, *then)


def present() -> dict[str, FileState | None]:
    """What is at each path where this host is to have a file, or none; None where nothing is."""
    return _found(_files())


def wanted(path: str) -> File:
    """What this host is to have at `path`, where it is to have a file of ours."""
    return next(file for file in _files() if file.path == path)


def differing(area: str) -> tuple[File, ...]:
    """The files of `area` that this host lacks, or has with another content, mode or owner."""
    files = _files()
    found = _found(files)
    return tuple(
        file for file in files if file.area == area and not _is(file, found.get(file.path))
    )


def leftover() -> tuple[str, ...]:
    """The paths where this host has a file of ours that the inventory no longer asks for."""
    found = present()
    return tuple(path for path in _unwanted() if found.get(path) is not None)


def rewritten(file: File) -> bool:
    """Whether this host lacks `file`, or has another content; not where only its mode differs."""
    found = present().get(file.path)
    return found is None or found.sha256 != file.sha256


def _files() -> tuple[File, ...]:
    manages = manager(host.data.cluster, observed(host, Network))
    node = isinstance(host.data.member, Node)
    return _rendered(host.name, manages, None if node else observed(host, Initiator).records)


@cache
def _rendered(_: str, manages: str, records: str | None) -> tuple[File, ...]:
    """The files of this host, by its name: what the inventory says doesn't change in a run."""
    cluster: Cluster = host.data.cluster
    if records is None:
        return node_files(cluster, host.data.member.name, manages)
    return client_files(cluster, host.data.member.name, manages, records)


def _found(files: tuple[File, ...]) -> dict[str, FileState | None]:
    """All are asked for at once, whatever their area: that is one remote command a run."""
    return observed(host, Files, paths=(*(file.path for file in files), *_unwanted()))


def _unwanted() -> tuple[str, ...]:
    return unwanted(host.data.cluster) if isinstance(host.data.member, Node) else ()


def _is(file: File, found: FileState | None) -> bool:
    return found is not None and found.matches(file.sha256, file.mode)
