"""Secrets: named in the inventory, kept in the environment or in a file outside git."""

import inspect
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import attrs

from .declare import declared
from .problem import Problem

SECRETS_FILE = "secrets.env"
"""Beside the inventory; ignored by git, mode 0600, `NAME=value` a line. SAN_SECRETS_FILE moves it,
seen from the working directory."""

_directory = Path()
"""Of the inventory."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_CARRIED = re.compile(r"[A-Za-z0-9_.,:@%/+-]*")


def a_name(value: object) -> str | None:
    """A secret's name. The message shows no value: it may be the secret itself."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return None
    return (
        "it is not the name of a secret (capitals, digits, `_`); the secret itself "
        f"belongs in the environment or in {SECRETS_FILE}"
    )


def a_secret(value: object) -> str | None:
    """A Secret, as a check of a field. The message shows no value: it may be the secret itself."""
    if isinstance(value, Secret):
        return None
    return (
        f"it is of type {type(value).__name__}, not a Secret; write Secret('NAME') and keep its "
        f"text in the environment or in {SECRETS_FILE}"
    )


def look_beside_inventory() -> None:
    """Look for secrets beside the inventory that is being executed; where none is, right here.

    pyinfra executes it, as `san` does, under a file's name and no module's.
    """
    global _directory  # noqa: PLW0603 (a process has one inventory, and asks for secrets later)
    _directory = Path()
    frame = inspect.currentframe()
    while frame is not None:
        if "__file__" in frame.f_globals and "__name__" not in frame.f_globals:
            _directory = Path(frame.f_globals["__file__"]).absolute().parent
        frame = frame.f_back


def secrets_file() -> Path:
    """Where secrets are kept: $SAN_SECRETS_FILE, or secrets.env beside the inventory."""
    moved = os.environ.get("SAN_SECRETS_FILE")
    return Path(moved) if moved else _directory / SECRETS_FILE


def misplaced_secrets() -> str | None:
    """Where a secrets file lies in the working directory and isn't read: what to do with it."""
    here, wanted = Path(SECRETS_FILE).absolute(), secrets_file()
    if wanted.exists() or not here.exists() or here == wanted.absolute():
        return None
    return f"{here} isn't beside the inventory: move it to {wanted}, or name it in SAN_SECRETS_FILE"


def read_secrets(path: Path) -> dict[str, str]:
    """The secrets of a file, by name; none where there is no file.

    Raises ValueError with a sentence where others may read the file, or a line is no `NAME=value`.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            mode = os.fstat(file.fileno()).st_mode
            lines = file.read().split("\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"{path} is open to others; run: chmod 600 {path}")
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ValueError(f"{path}, line {number}: not NAME=value")
        if name in found:
            raise ValueError(f"{path}, line {number}: {name} is there already; keep one")
        found[name] = value
    return found


@attrs.frozen
class Secret:
    """A secret by its name: looked up in the environment first, then in the secrets file."""

    name: str = declared(a_name)

    def problems(self) -> Iterator[Problem]:
        """Say where the secret is missing or can't be read."""
        try:
            self.reveal()
        except ValueError as error:
            yield Problem("name", str(error))

    def reveal(self) -> str:
        """The secret's text. Raises ValueError with a sentence where there is none."""
        value = os.environ.get(self.name) or read_secrets(secrets_file()).get(self.name)
        if not value:
            raise ValueError(
                f"secret {self.name} is neither in the environment nor in {secrets_file()}; "
                f"{misplaced_secrets() or 'run: san secrets init'}"
            )
        return value

    @property
    def known(self) -> str | None:
        """The secret's text; None where there is none, which is a finding of its own."""
        try:
            return self.reveal()
        except ValueError:
            return None

    def unfit(self, use: str, least: int, most: int) -> Iterator[Problem]:
        """Why the secret's text can't serve as `use`, of `least` to `most` characters."""
        value = self.known
        if value is None:
            return
        if not least <= len(value) <= most:
            yield Problem(
                "secret",
                f"{self.name} has {len(value)} characters; {use} has {least} to {most}",
            )
        elif not _CARRIED.fullmatch(value) or "::" in value:
            yield Problem(
                "secret",
                f"{self.name} has a character that not every configuration file can carry; "
                f"{use} is of letters, digits and `_.,:@%/+-`, without `::`",
            )
