"""Strings that can be carried unharmed into haresources, drbd.conf and a target's configuration."""

import re

from .declare import Check, shown

_TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_UNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_IQN = re.compile(
    r"iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*(:[a-z0-9.:-]+)?"
)
_EUI = re.compile(r"eui\.[0-9A-Fa-f]{16}")
_NAA = re.compile(r"naa\.([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})")
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_PATH = re.compile(r"/[A-Za-z0-9_./+:@=-]*")
_HARMFUL = re.compile(r"[\s\"'`\\\x00-\x1f\x7f]|::")

ISCSI_NAME_MAX = 223
"""Bytes in an iSCSI name (RFC 7143, section 4.2.7.1)."""

UNAME_MAX = 64
"""Bytes in a node name: what the kernel keeps of `uname -n` (uname(2))."""


def carried(value: object) -> str | None:
    """A string that haresources, drbd.conf and a target's configuration can carry."""
    if not isinstance(value, str) or not value:
        return f"{shown(value)} is not a non-empty string"
    if _HARMFUL.search(value):
        return (
            f"{shown(value)} has white space, a quote, a backslash, `::` or a control character, "
            "which haresources, drbd.conf and a target's configuration can't carry; rename it"
        )
    return None


def _matching(pattern: re.Pattern[str], rule: str) -> Check:
    def check(value: object) -> str | None:
        sentence = carried(value)
        if sentence is None and not pattern.fullmatch(str(value)):
            sentence = f"{shown(value)} is not {rule}"
        return sentence

    return check


token = _matching(_TOKEN, "a plain name (letters, digits, `_`, `.`, `+`, `-`)")
"""A plain name: what DRBD, LVM and Heartbeat all take."""

interface = _matching(_INTERFACE, "an interface name (1 to 15 of letters, digits, `_`, `.`, `-`)")
"""A network interface's name, as the kernel limits it (IFNAMSIZ)."""

_path = _matching(_PATH, "an absolute path of letters, digits and `_./+:@=-`")


def path(value: object) -> str | None:
    """An absolute path without `..`, in characters that need no quoting anywhere."""
    sentence = _path(value)
    if sentence is None and ".." in str(value).split("/"):
        sentence = f"{shown(value)} climbs with `..`; write the path it leads to"
    return sentence


def uname(value: object) -> str | None:
    """A node name: what `uname -n` prints, in lower case, which Heartbeat compares with."""
    sentence = carried(value)
    if sentence is None and (len(str(value)) > UNAME_MAX or not _UNAME.fullmatch(str(value))):
        sentence = (
            f"{shown(value)} can't be what `uname -n` prints on a node "
            "(lower case letters, digits, `-`, at most 64 characters); name the node as it does"
        )
    return sentence


def iscsi_name(value: object) -> str | None:
    """An iSCSI name: iqn., eui. or naa. (RFC 3720 and RFC 7143, section 4.2.7), normalised."""
    sentence = carried(value)
    if sentence is not None:
        return sentence
    text = str(value)
    if len(text.encode()) > ISCSI_NAME_MAX:
        return f"{shown(value)} has {len(text.encode())} bytes; an iSCSI name has at most 223"
    if not any(pattern.fullmatch(text) for pattern in (_IQN, _EUI, _NAA)):
        return (
            f"{shown(value)} is not an iSCSI name; write iqn.YYYY-MM.reversed.domain:name "
            "in lower case (RFC 7143, section 4.2.7.4)"
        )
    return None
