"""Strings that can be carried unharmed into haresources, drbd.conf and a target's configuration."""

import posixpath
import re
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase

from .declare import shown

_TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,126}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_UNAME = re.compile(_DOMAIN)
_IQN = re.compile(rf"iqn\.[0-9]{{4}}-(?:0[1-9]|1[0-2])\.{_DOMAIN}(?::[a-z0-9.:-]+)?")
_EUI = re.compile(r"eui\.[0-9A-Fa-f]{16}")
_NAA = re.compile(r"naa\.(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})")
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_DEVICE = re.compile(r"/dev/[A-Za-z0-9_./+:@=-]{1,250}")
_HARMFUL = re.compile(r"[\s\"'`\\\x00-\x1f\x7f-\x9f]|::")

_CAPITALS = str.maketrans(ascii_uppercase, ascii_lowercase)

ISCSI_NAME_MAX = 223
"""Bytes in an iSCSI name (RFC 7143, section 4.2.7.1)."""

UNAME_MAX = 64
"""Bytes in a node name: what the kernel keeps of `uname -n` (uname(2))."""

NOT_INTERFACES = ("all", "default", "lo")
"""Names that stand for something else in net.ipv4.conf, or lead nowhere."""


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


def _matching(pattern: re.Pattern[str], rule: str) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        sentence = carried(value)
        if sentence is None and not pattern.fullmatch(str(value)):
            sentence = f"{shown(value)} is not {rule}"
        return sentence

    return check


watchdog = _matching(
    re.compile(r"/dev/watchdog[0-9]*"), "a watchdog's device: /dev/watchdog, or one with its number"
)
"""What the kernel calls a watchdog; Heartbeat takes any file for one, and tells nobody."""

token = _matching(
    _TOKEN, "a plain name (letters, digits, `_`, `.`, `+`, `-`; at most 127 characters)"
)
"""A plain name: what DRBD, LVM and Heartbeat all take."""

_interface = _matching(_INTERFACE, "an interface's name (1 to 15 of letters, digits, `_.-`)")
_device = _matching(_DEVICE, "a device's path: /dev/… of letters, digits and `_./+:@=-`")


def interface(value: object) -> str | None:
    """A network interface's name, as the kernel limits it (IFNAMSIZ)."""
    if isinstance(value, str) and value in NOT_INTERFACES:
        return f"{value!r} is not a card that carries a network; name one, such as 'eth1'"
    return _interface(value)


def device(value: object) -> str | None:
    """A device's path in its plain form, so that equal devices have equal paths."""
    sentence = _device(value)
    if sentence is None and posixpath.normpath(str(value)) != value:
        plain = posixpath.normpath(str(value))
        sentence = f"{shown(value)} is a detour; write the plain path, {plain}"
    return sentence


def hostname(value: object) -> str | None:
    """What `uname -n` prints on a host."""
    sentence = carried(value)
    if sentence is None and (
        len(str(value)) > UNAME_MAX or not _UNAME.fullmatch(_lower(str(value)))
    ):
        sentence = (
            f"{shown(value)} can't be what `uname -n` prints on a host "
            "(letters, digits, `-`, at most 64 characters); name the host as it does"
        )
    return sentence


def uname(value: object) -> str | None:
    """A node name: what `uname -n` prints, in lower case, in which Heartbeat keeps it."""
    sentence = hostname(value)
    if sentence is None and _lower(str(value)) != value:
        lower = _lower(str(value))
        sentence = (
            f"{shown(value)} has capitals, and Heartbeat keeps nodes' names in lower case; name "
            f"the node {lower!r}, there too: hostnamectl set-hostname {lower}"
        )
    return sentence


def _lower(text: str) -> str:
    """ASCII's capitals alone: no other letter becomes one of ours."""
    return text.translate(_CAPITALS)


def iscsi_name(value: object) -> str | None:
    """An iSCSI name: iqn., eui. or naa. (RFC 3720 and RFC 7143, section 4.2.7), normalised."""
    sentence = carried(value)
    if sentence is not None:
        return sentence
    text = str(value)
    size = len(text.encode(errors="replace"))
    if size > ISCSI_NAME_MAX:
        return f"{shown(value)} has {size} bytes; an iSCSI name has at most {ISCSI_NAME_MAX}"
    if not any(pattern.fullmatch(text) for pattern in (_IQN, _EUI, _NAA)):
        lower = _lower(text)
        if _IQN.fullmatch(lower):
            return (
                f"{shown(value)} has capitals, and iSCSI names are compared in lower case (RFC "
                f"7143, section 4.2.7.3): write {lower!r}, here and at the initiator"
            )
        return (
            f"{shown(value)} is not an iSCSI name; write iqn.YYYY-MM.reversed.domain:name "
            "in lower case (RFC 7143, section 4.2.7.4)"
        )
    return None
