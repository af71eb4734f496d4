"""Secrets: named in the inventory, kept in the environment or in a file outside git."""

import os
import re
import stat
from pathlib import Path

import attrs

from .declare import declared, shown
from .problem import Problem

SECRETS_FILE = Path("secrets.env")
"""Beside inventory.py; ignored by git, mode 0600, `NAME=value` a line. SAN_SECRETS_FILE moves it."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def _name(value: object) -> str | None:
    if isinstance(value, str) and _NAME.fullmatch(value):
        return None
    return (
        f"{shown(value)} is not the name of a secret (capitals, digits, `_`); the secret itself "
        "belongs in the environment or in secrets.env"
    )


def secrets_file() -> Path:
    """Where secrets are kept: $SAN_SECRETS_FILE, or secrets.env in the working directory."""
    return Path(os.environ.get("SAN_SECRETS_FILE", str(SECRETS_FILE)))


def read_secrets(path: Path) -> dict[str, str]:
    """The secrets of a file, by name; none where there is no file.

    Raises ValueError with a sentence where others may read the file, or a line is no `NAME=value`.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"{path} is open to others; run: chmod 600 {path}")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ValueError(f"{path}, line {number}: not NAME=value")
        found[name] = value
    return found


@attrs.frozen
class Secret:
    """A secret by its name: looked up in the environment first, then in the secrets file."""

    name: str = declared(_name)

    def problems(self) -> "list[Problem]":
        """Say where the secret is missing or can't be read."""
        try:
            self.reveal()
        except ValueError as error:
            return [Problem("name", str(error))]
        return []

    def reveal(self) -> str:
        """The secret's text. Raises ValueError with a sentence where there is none."""
        value = os.environ.get(self.name) or read_secrets(secrets_file()).get(self.name)
        if not value:
            raise ValueError(
                f"secret {self.name} is neither in the environment nor in {secrets_file()}; "
                "run: san secrets init"
            )
        return value
