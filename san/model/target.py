"""iSCSI targets, their LUNs, and who may use them."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

import attrs

from . import text
from .declare import (
    a,
    declared,
    duplicates,
    each,
    many,
    one_of,
    optional,
    shown,
    sound,
    whole,
)
from .problem import Problem
from .secret import Secret, a_secret

CHAP_SECRET_LENGTH = (12, 16)
"""Characters in a CHAP secret: at least 96 bits (RFC 7143, section 9.2.1), and at most what
Microsoft's initiator takes."""


_SCSI_ID = re.compile(r"6[0-9a-f]{31}")
_SERIAL = re.compile(r"[A-Za-z0-9_.-]{1,36}")


@attrs.frozen
class Chap:
    """A user and its secret for CHAP (RFC 1994)."""

    user: str = declared(text.token)
    secret: Secret = declared(a_secret, repr=False)

    def problems(self) -> Iterator[Problem]:
        """A secret that initiators refuse, or that a configuration can't carry."""
        yield from self.secret.unfit("a CHAP secret", *CHAP_SECRET_LENGTH)


def _scsi_id(value: object) -> str | None:
    if isinstance(value, str) and _SCSI_ID.fullmatch(value):
        return None
    return (
        f"{shown(value)} is not 32 hex digits in lower case that begin with 6, as a client's "
        "multipath -ll shows them behind a 3"
    )


def _serial(value: object) -> str | None:
    if isinstance(value, str) and _SERIAL.fullmatch(value):
        return None
    return f"{shown(value)} is not a unit serial number: 1 to 36 letters, digits, `_`, `.`, `-`"


@attrs.frozen
class Lun:
    """A logical unit: a number of the target, and the volume behind it."""

    number: int = declared(whole(0, 255, "a LUN's number"))
    volume: str = declared(text.carried)
    """Volume group and volume: `storage/test`."""
    iotype: str = declared(one_of("fileio", "blockio"), default="fileio")

    scsi_id: str | None = declared(optional(_scsi_id), default=None)
    """What clients know the disk by: 32 hex digits, of which the first is 6 (an NAA identifier);
    None: one made of the target's name and the number. Name the one that clients know already."""
    serial: str | None = declared(optional(_serial), default=None)
    """Its unit serial number; None: the end of `scsi_id`."""

    @property
    def path(self) -> str:
        """The device behind the LUN."""
        return f"/dev/{self.volume}"


def _initiator(value: object) -> str | None:
    """An ACL's entry: an iSCSI name, or an IPv4 network or address."""
    if not isinstance(value, str) or not value[:1].isdigit():
        return text.iscsi_name(value)
    try:
        network = IPv4Network(value)
    except ValueError:
        return f"{shown(value)} is neither an IPv4 address nor a network such as 10.0.0.0/24"
    if value not in (str(network), str(network).removesuffix("/32")):
        return f"{shown(value)} is not in plain form; write {network}"
    return None


@attrs.frozen
class Acl:
    """Who may log in: initiator names, and IPv4 networks or addresses they come from."""

    initiators: tuple[str, ...] = declared(many(str, "initiators", least=1), each(_initiator))

    @property
    def names(self) -> tuple[str, ...]:
        """The entries that are iSCSI names."""
        return tuple(entry for entry in self.initiators if not entry[0].isdigit())

    @property
    def networks(self) -> tuple[str, ...]:
        """The entries that are IPv4 addresses or networks."""
        return tuple(entry for entry in self.initiators if entry[0].isdigit())


@attrs.frozen
class Everyone:
    """In place of an ACL: whoever reaches a portal may log in."""


@attrs.frozen
class Target:
    """An iSCSI target: a name, its LUNs, and who may log in."""

    name: str = declared(text.iscsi_name)
    luns: tuple[Lun, ...] = declared(many(Lun, "Luns", least=1))
    alias: str | None = declared(optional(text.token), default=None)
    chap: Chap | None = declared(optional(a(Chap, "a Chap")), default=None)
    """What an initiator proves to the target."""
    acl: Acl | Everyone | None = declared(
        optional(a((Acl, Everyone), "an Acl or Everyone()")), default=None
    )
    """None: the inventory's clients may (`Cluster.acl_of`)."""

    def problems(self) -> Iterator[Problem]:
        """Numbers that stand twice."""
        for number in duplicates(sound(self.luns, "number")):
            yield Problem("luns", f"LUN {number} is there twice; give each its own number")
