"""The model as plain data, for JSON: what pyinfra and `san check --json` print."""

from collections.abc import Mapping
from typing import Any

import attrs

from .heartbeat import Link


def plain(part: Any) -> dict[str, object]:  # noqa: ANN401 (any model class)
    """The fields of a model object, but for pyinfra's `ssh_…` data, which may hold a password."""
    kind = {"kind": type(part).__name__.lower()} if isinstance(part, Link) else {}
    names = (field.name for field in attrs.fields(type(part)) if field.name != "ssh")
    return kind | {name: _plain(getattr(part, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return plain(value) if attrs.has(type(value)) else value
