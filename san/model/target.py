"""iSCSI targets, their LUNs, and who may use them."""

from collections.abc import Iterator
from ipaddress import IPv4Network

import attrs

from . import text
from .declare import a, between, declared, duplicates, many, one_of, optional, shown
from .problem import Problem
from .secret import Secret

CHAP_SECRET_LENGTH = range(12, 17)
"""Characters in a CHAP secret: at least 96 bits (RFC 7143, section 9.2.1), and at most what
Microsoft's initiator takes."""


@attrs.frozen
class Chap:
    """A user and its secret for CHAP (RFC 1994)."""

    user: str = declared(text.token)
    secret: Secret = declared(a(Secret, "a Secret"))

    def problems(self) -> Iterator[Problem]:
        """A secret that initiators refuse, or that a configuration can't carry."""
        value = self.secret.reveal()
        if len(value) not in CHAP_SECRET_LENGTH:
            yield Problem(
                "secret",
                f"{self.secret.name} has {len(value)} characters; a CHAP secret has 12 to 16",
            )
        elif text.carried(value) is not None or not value.isascii():
            yield Problem(
                "secret",
                f"{self.secret.name} has white space, a quote, a backslash, `::` or a character "
                "beyond ASCII; choose letters, digits and signs",
            )


@attrs.frozen
class Lun:
    """A logical unit: a number of the target, and the volume behind it."""

    number: int = declared(between(0, 255, "a LUN"))
    volume: str = declared(text.carried)
    """Volume group and volume: `storage/test`."""
    iotype: str = declared(one_of("fileio", "blockio"), default="fileio")

    @property
    def path(self) -> str:
        """The device behind the LUN."""
        return f"/dev/{self.volume}"


def _initiator(value: object) -> str | None:
    """An ACL's entry: an iSCSI name, or an IPv4 network or address."""
    if isinstance(value, str) and value[:1].isdigit():
        try:
            IPv4Network(value)
        except ValueError:
            return f"{shown(value)} is neither an IPv4 address nor a network such as 10.0.0.0/24"
        return None
    return text.iscsi_name(value)


@attrs.frozen
class Acl:
    """Who may log in: initiator names, and IPv4 networks or addresses they come from."""

    initiators: tuple[str, ...] = declared(many(str, "initiators", least=1))

    def problems(self) -> Iterator[Problem]:
        """Entries that are neither a name nor an address."""
        for index, value in enumerate(self.initiators):
            sentence = _initiator(value)
            if sentence is not None:
                yield Problem(f"initiators[{index}]", sentence)

    @property
    def names(self) -> tuple[str, ...]:
        """The entries that are iSCSI names."""
        return tuple(entry for entry in self.initiators if not entry[0].isdigit())

    @property
    def networks(self) -> tuple[str, ...]:
        """The entries that are IPv4 addresses or networks."""
        return tuple(entry for entry in self.initiators if entry[0].isdigit())


@attrs.frozen
class Target:
    """An iSCSI target: a name, its LUNs, and who may log in. Without an ACL, everyone may."""

    name: str = declared(text.iscsi_name)
    luns: tuple[Lun, ...] = declared(many(Lun, "Luns", least=1))
    alias: str | None = declared(optional(text.token), default=None)
    chap: Chap | None = declared(optional(a(Chap, "a Chap")), default=None)
    """What an initiator proves to the target."""
    acl: Acl | None = declared(optional(a(Acl, "an Acl")), default=None)

    def problems(self) -> Iterator[Problem]:
        """Numbers and volumes that stand twice."""
        for number in duplicates([str(lun.number) for lun in self.luns]):
            yield Problem("luns", f"LUN {number} is there twice; give each its own number")
