"""Putting the rendered files of one area in place."""

from collections.abc import Iterator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.context import host

from facts.files import Files
from operations.observation import observed
from san.render.files import File

_INSTALL = """\
set -eu
directory=$(dirname -- "$1")
mkdir -p -- "$directory"
umask 077
stage=$(mktemp -d -- "$directory/.san.XXXXXX")
trap 'rm -rf -- "$stage"' EXIT
cat > "$stage/new"
chmod -- "$2" "$stage/new"
sync -- "$stage/new"
mv -f -- "$stage/new" "$1"
"""


def install(file: File) -> StringCommand:
    """The command that puts `file` in place: staged 0700, whole or not at all, never in argv."""
    return StringCommand(
        "sh",
        "-c",
        QuoteString(_INSTALL),
        "san-install",
        QuoteString(file.path),
        f"{file.mode:04o}",
        _stdin=file.content,
    )


def differing(files: tuple[File, ...], also: tuple[str, ...] = ()) -> Iterator[File]:
    """Those of `files` that this host lacks, or has with another content, mode or owner."""
    state = observed(host, Files, paths=tuple(file.path for file in files) + also)
    for file in files:
        found = state[file.path]
        if found is None or not found.matches(file.sha256, file.mode):
            yield file
