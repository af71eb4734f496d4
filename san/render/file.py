"""A file as it lands on a host."""

import hashlib
from functools import cached_property

import attrs

AREAS = ("modules", "network", "replication", "volumes", "cluster", "targets", "watch", "clients")
"""The operations that install files, in the order of deploy.py."""


def _shown(content: str) -> str:
    return f"<{len(content)} characters>"


@attrs.frozen
class File:
    """A file: where, what, for whom to read, and which operation installs it."""

    path: str
    content: str = attrs.field(repr=_shown)
    mode: int
    """Permissions; the owner is root."""
    secret: bool
    """Whether `content` must never be shown: in a plan, a diff, a log."""
    area: str = attrs.field(validator=attrs.validators.in_(AREAS))

    @cached_property
    def sha256(self) -> str:
        """Of the content, in lower-case hex, as sha256sum prints it."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def public(path: str, content: str, area: str, *, mode: int = 0o644) -> File:
    """A file that all may read."""
    return File(path, content, mode, secret=False, area=area)


def secret(path: str, content: str, area: str) -> File:
    """A file with secrets: for root alone, never shown."""
    return File(path, content, 0o600, secret=True, area=area)
