"""Bytes that a node is to have: from this machine, or from its twin through this machine."""

import base64
import hashlib
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

from pyinfra import logger
from pyinfra.api.command import FunctionCommand, QuoteString, StringCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State

from operations import lock
from operations.connection import connection
from san.decide.refusal import Refusal

FETCH_LIMIT = 60
"""Seconds that a server may be silent while a source is fetched."""

_WRITE = """\
set -eu
mkdir -p -- "${1%/*}"
base64 --decode > "$1.new"
sync -- "$1.new"
mv -f -- "$1.new" "$1"
"""


def fetched(location: str, sha256: str) -> bytes:
    """The bytes at a URL or in a file. Raises Refusal where they are not those of `sha256`."""
    try:
        if "://" in location:
            with urllib.request.urlopen(location, timeout=FETCH_LIMIT) as answer:  # noqa: S310 (the model allows http and https)
                content: bytes = answer.read()
        else:
            content = Path(location).read_bytes()
    except (OSError, URLError) as error:
        raise Refusal(f"{location} can't be read: {error}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise Refusal(
            f"the sha256 of {location} is {found}, and the inventory says {sha256}: it is not what "
            "was reviewed; correct the one that is wrong"
        )
    return content


def upload(content: bytes, path: str) -> StringCommand:
    """The command that writes `content` to `path`, whole or not at all."""
    return _write(path, _stdin=base64.b64encode(content).decode())


def _write(path: str, **arguments: Any) -> StringCommand:  # noqa: ANN401 (pyinfra's own)
    words = ("sh", "-c", QuoteString(_WRITE), "san-upload", QuoteString(path))
    return StringCommand(*words, **arguments)


def between(source: Host, origin: str, path: str) -> FunctionCommand:
    """The command that copies `origin` of the host `source` to `path` of the host it runs on."""
    return FunctionCommand(partial(_copy, source, origin, path), (), {})


def _copy(source: Host, origin: str, path: str, state: State, host: Host) -> bool:  # noqa: ARG001 (pyinfra asks for these names)
    arguments = connection(host)
    read, output = source.run_shell_command(
        StringCommand("base64", "--wrap=0", QuoteString(origin)), **arguments
    )
    if not read:
        logger.error(f"{source.print_prefix}{origin} can't be read: {output.stderr}")
        return False
    command = lock.under(host, _write(path))
    written, output = host.run_shell_command(command, **{**arguments, "_stdin": output.stdout})
    if not written:
        logger.error(f"{host.print_prefix}{path} can't be written: {output.stderr}")
    return written
