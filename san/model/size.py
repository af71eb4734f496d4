"""Sizes with a unit."""

import re

from .declare import shown

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?([KMGTP])(?:i?B)?")
_FACTOR = {unit: 1024**power for power, unit in enumerate("KMGTP", start=1)}

SECTOR = 512
"""Bytes: LVM counts in these, so a size must be a multiple."""


def bytes_of(size: str) -> int:
    """Bytes of a size such as `512M` or `1.5 GiB`; units are powers of 1024, as lvcreate's.

    Raises ValueError with a sentence where `size` is no size.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{shown(size)} is not a size with a unit, such as 512M or 20G")
    count = float(match[1]) * _FACTOR[match[2]]
    if count < _FACTOR["M"] or count % SECTOR:
        raise ValueError(f"{shown(size)} is not at least 1M and whole sectors of 512 bytes")
    return int(count)


def size(value: object) -> str | None:
    """A size with a unit, as a check of a field."""
    if not isinstance(value, str):
        return f"{shown(value)} is not a size with a unit, such as '512M' or '20G'"
    try:
        bytes_of(value)
    except ValueError as error:
        return str(error)
    return None
