"""ietd.conf as ietd reads it: what of a file takes effect, and what is passed over in silence."""

import re
from collections.abc import Iterator, Mapping

import attrs

_LUN = re.compile(r"\s*(?P<number>\d+)\s+(?P<options>.*?)\s*")
_IOTYPES = {"fileio", "blockio", "nullio"}
_IOMODES = {"wt", "wb", "ro"}
_LUN_OPTIONS = {"path", "type", "iomode", "scsiid", "scsisn", "blocks", "sectors", "blocksize"}
_USERS = {"incominguser", "outgoinguser"}
_GLOBAL = {"isnsserver", "isnsaccesscontrol"}
_PARAMETERS = {
    *("maxsessions", "wthreads", "type", "queuedcommands", "nopinterval", "noptimeout"),
    *("initialr2t", "immediatedata", "maxconnections", "maxrecvdatasegmentlength"),
    *("maxxmitdatasegmentlength", "maxburstlength", "firstburstlength", "defaulttime2wait"),
    *("defaulttime2retain", "maxoutstandingr2t", "datapduinorder", "datasequenceinorder"),
    *("errorrecoverylevel", "headerdigest", "datadigest", "ofmarker", "ifmarker"),
    *("ofmarkint", "ifmarkint"),
}


@attrs.frozen
class IetdLun:
    """A `Lun` line. Whether its path exists shows only when ietd starts: without, no LUN."""

    number: int
    path: str | None
    """None for nullio. Spaces within it, and at its end, belong to it."""
    iotype: str = "fileio"
    iomode: str = "wt"
    scsi_id: str | None = None
    scsi_sn: str | None = None


@attrs.frozen
class IetdTarget:
    """A `Target` with the lines below it."""

    name: str
    luns: tuple[IetdLun, ...] = ()
    users: tuple[str, ...] = ()
    """Whom an initiator may prove to be; secrets are left out."""
    outgoing_users: tuple[str, ...] = ()
    """Whom the target proves to be; of several only the last counts."""
    alias: str | None = None
    """Which ietd reads and ignores."""
    parameters: Mapping[str, str] = attrs.field(factory=dict)
    """All other settings by name, as written."""


@attrs.frozen
class IetdConf:
    """What ietd makes of its file."""

    targets: tuple[IetdTarget, ...] = ()
    discovery_users: tuple[str, ...] = ()
    """Users above the first target: they are for discovery alone."""
    outgoing_discovery_users: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Lines without effect: unknown names, LUNs that can't be, targets named twice and all below
    them."""


def parse_ietd_conf(text: str) -> IetdConf:
    """Read ietd.conf: names regardless of case, a target's name up to the first white space.

    Of two targets of one name the second and its LUNs are void, but users below it are added to
    the first: ietd reads users in a pass of their own.
    """
    targets: dict[str, IetdTarget] = {}
    users: dict[tuple[str | None, str], list[str]] = {}
    ignored: list[str] = []
    section: str | None = None
    target: IetdTarget | None = None  # None below a name that stood before: only users count there
    for key, rest, line in _lines(text):
        words = rest.split()
        changed: IetdTarget | None = None
        if key == "target":
            section = words[0] if words else None
            if section is not None and section not in targets:
                changed = IetdTarget(section)
            target = changed
        elif key in _USERS and words:
            users.setdefault((section, key), []).append(words[0])
            continue
        elif key in _GLOBAL:
            continue
        elif target is not None:
            changed = _with_line(target, key, rest)
        if changed is None:
            ignored.append(line)
        else:
            target = targets[changed.name] = changed
    return IetdConf(
        targets=tuple(
            attrs.evolve(
                each,
                users=tuple(users.get((each.name, "incominguser"), ())),
                outgoing_users=tuple(users.get((each.name, "outgoinguser"), ())),
            )
            for each in targets.values()
        ),
        discovery_users=tuple(users.get((None, "incominguser"), ())),
        outgoing_discovery_users=tuple(users.get((None, "outgoinguser"), ())),
        ignored=tuple(ignored),
    )


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """The first word in lower case, the rest of the line, and the line."""
    for line in text.splitlines():
        words = line.split(None, 1)
        if words and not words[0].startswith("#"):
            yield words[0].lower(), words[1] if len(words) > 1 else "", line.strip()


def _with_line(target: IetdTarget, key: str, rest: str) -> IetdTarget | None:
    """The target with what the line adds; None where it adds nothing."""
    if key == "lun":
        lun = _lun(rest)
        if lun is None or lun.number in {known.number for known in target.luns}:
            return None
        return attrs.evolve(target, luns=(*target.luns, lun))
    if key == "alias":
        return attrs.evolve(target, alias=rest.strip())
    if key in _PARAMETERS:
        return attrs.evolve(target, parameters={**target.parameters, key: rest.strip()})
    return None


def _lun(rest: str) -> IetdLun | None:
    """A LUN; None for what the kernel refuses: an unknown option or value, a space after a comma.

    It gets the rest of the line as it stands: a comment there belongs to the last value.
    """
    found = _LUN.fullmatch(rest)
    if found is None:
        return None
    options: dict[str, str] = {}
    for option in filter(None, found["options"].split(",")):
        key, equals, value = option.partition("=")
        if not equals or key.lower() not in _LUN_OPTIONS:
            return None
        options[key.lower()] = value
    iotype = options.get("type", "fileio").lower()
    iomode = options.get("iomode", "wt").lower()
    if iotype not in _IOTYPES or iomode not in _IOMODES:
        return None
    if ("path" not in options) != (iotype == "nullio"):
        return None
    return IetdLun(
        number=int(found["number"]),
        path=options.get("path"),
        iotype=iotype,
        iomode=iomode,
        scsi_id=options.get("scsiid"),
        scsi_sn=options.get("scsisn"),
    )
