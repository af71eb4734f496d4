"""Sizes with a unit."""

import re
from fractions import Fraction

from .declare import shown

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([KMGTP])(?:i?B)?")
_FACTOR = {unit: 1024**power for power, unit in enumerate("KMGTP", start=1)}

ALL_FREE = "100%FREE"
"""What a volume group has left, as lvcreate(8) writes it."""

SECTOR = 512
"""Bytes: LVM counts in these, so a size must be a multiple."""

LARGEST = 8192 * _FACTOR["P"]
"""Bytes: LVM's largest volume on a 64-bit kernel is 8 EiB (lvm(8))."""


def bytes_of(size: str) -> int:
    """Bytes of a size such as `512M` or `1.5 GiB`; units are powers of 1024, as lvcreate's.

    Raises ValueError with a sentence where `size` is no size.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{shown(size)} is not a size with a unit, such as 512M or 20G")
    count = Fraction(match[1]) * _FACTOR[match[2]]
    if not _FACTOR["M"] <= count < LARGEST:
        raise ValueError(f"{shown(size)} is out of range: from 1M to less than 8192P")
    if count % SECTOR:
        raise ValueError(f"{shown(size)} is not a whole number of sectors of {SECTOR} bytes")
    return int(count)


def size(value: object) -> str | None:
    """A size with a unit, or ALL_FREE, as a check of a field."""
    if value == ALL_FREE and isinstance(value, str):
        return None
    if not isinstance(value, str):
        return f"{shown(value)} is not a size with a unit, such as '512M' or '20G', or {ALL_FREE!r}"
    try:
        bytes_of(value)
    except ValueError as error:
        return str(error)
    return None
