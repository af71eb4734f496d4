"""What configures an interface at boot: networkd's files that match it, and ifupdown's stanzas."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from posixpath import join
from typing import Any

import attrs

NETWORKD_LINKS = "/run/systemd/netif/links"
"""Where networkd keeps what it has made of each link, by the link's index."""

NETWORKD_FILES = (
    "/etc/systemd/network/*.network",
    "/run/systemd/network/*.network",
    "/usr/local/lib/systemd/network/*.network",
)
"""What an operator wrote, or netplan; the distribution's own lie in /usr/lib."""

IFUPDOWN_FILE = "/etc/network/interfaces"

PATTERN = (
    r"^NETWORK_FILE=|^[[:space:]]*(iface|source|source-directory)[[:space:]]"
    r"|^[[:space:]]*(\[[A-Za-z]+\]|(Name|MACAddress|PermanentMACAddress|Type|OriginalName|Path"
    r"|Driver|Kind|Property|Host|Virtualization|Architecture|Kernel[A-Za-z]*|Credential|Firmware"
    r"|SSID|BSSID|WLANInterfaceType)[[:space:]]*=)"
)
"""The lines to read, for `grep -E`: of networkd's files the sections and what [Match] may hold."""

_LINE = re.compile(r"(?P<file>/[^:]*):\s*(?P<text>.*?)\s*")
_STANZA = re.compile(r"iface\s+(?P<interface>\S+)(?P<how>.*)")
_SOURCE = re.compile(r"(?P<kind>source(?:-directory)?)\s+(?P<what>.*)")
_SECTION = re.compile(r"\[(?P<name>\w+)\]")
_JUDGED = {"Name", "MACAddress", "PermanentMACAddress", "Type"}
"""What can be told of a link here; a file that asks for more is believed when it is in force."""


@attrs.frozen
class InterfaceFiles:
    """The files that a boot configures interfaces by; each mapping is by interface."""

    in_force: Mapping[str, str] = attrs.field(factory=dict)
    """The file that networkd has chosen for a link: the first by name that matches."""
    claimed: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Networkd's files, but the distribution's, that match a link, in force or not."""
    patterned: tuple[str, ...] = ()
    """Those of networkd's files that name no single link: a fallback for what no other takes."""
    stanzas: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """The files with an ifupdown stanza (`iface`) for it; none for `lo`."""
    addressed: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Those of them that give it an IPv4 address; `inet manual` makes a bond or a bridge, say."""
    sources: tuple[str, ...] = ()
    """The paths, or patterns of them, that ifupdown reads besides its own file."""

    def read_by_ifupdown(self, path: str) -> bool:
        """Whether ifupdown comes to `path`."""
        return any(fnmatchcase(path, pattern) for pattern in self.sources)


def parse(lines: Iterable[str], links: Iterable[Mapping[str, Any]]) -> InterfaceFiles:
    """Read what `grep -H` found of PATTERN; `links` are those of `ip -json address show`.

    Example::

        /run/systemd/netif/links/3:NETWORK_FILE=/run/systemd/network/10-netplan-eth1.network
        /run/systemd/network/10-netplan-eth1.network:[Match]
        /run/systemd/network/10-netplan-eth1.network:Name=eth1
        /etc/network/interfaces:iface eth1 inet static
    """
    matches = (_LINE.fullmatch(line) for line in lines)
    found = [(match["file"], match["text"]) for match in matches if match]
    links = tuple(links)
    names = {str(link.get("ifindex")): str(link["ifname"]) for link in links}
    files = _matches(found)
    stanzas: dict[str, dict[str, None]] = {}
    addressed: dict[str, dict[str, None]] = {}
    for file, interface, how in _stanzas(found):
        stanzas.setdefault(interface, {})[file] = None
        if how[:1] != ["inet6"] and how != ["inet", "manual"]:
            addressed.setdefault(interface, {})[file] = None
    claims = {
        str(link["ifname"]): tuple(
            file for file, match in sorted(files.items()) if _matching(match, link)
        )
        for link in links
    }
    return InterfaceFiles(
        in_force={
            names[index]: text.partition("=")[2]
            for file, text in found
            if text.startswith("NETWORK_FILE=") and (index := file.rpartition("/")[2]) in names
        },
        claimed={name: claim for name, claim in claims.items() if claim},
        patterned=tuple(path for path, match in files.items() if not _names_one(match)),
        stanzas={name: tuple(where) for name, where in stanzas.items()},
        addressed={name: tuple(where) for name, where in addressed.items()},
        sources=tuple(_sources(found)),
    )


def _matches(found: Iterable[tuple[str, str]]) -> dict[str, dict[str, list[str]]]:
    """The [Match] section of each of networkd's files: the words of each key."""
    files: dict[str, dict[str, list[str]]] = {}
    section: dict[str, str] = {}
    for file, text in found:
        if not file.endswith(".network"):
            continue
        match = files.setdefault(file, {})
        if heading := _SECTION.fullmatch(text):
            section[file] = heading["name"]
        elif section.get(file) == "Match" and "=" in text:
            key, _, value = text.partition("=")
            match.setdefault(key.strip(), []).extend(value.split())
    return files


def _matching(match: Mapping[str, list[str]], link: Mapping[str, Any]) -> bool:
    """Whether a [Match] section takes a link (systemd.network(5)); an empty one takes none."""
    address = str(link.get("address", "")).lower()
    own = {
        "Name": [str(link["ifname"]), *map(str, link.get("altnames", ()))],
        "MACAddress": [address],
        "PermanentMACAddress": [address],
        "Type": [str(link.get("link_type", ""))],
    }
    return (
        bool(match)
        and match.keys() <= _JUDGED
        and all(_any(words, own[key]) for key, words in match.items())
    )


def _names_one(match: Mapping[str, list[str]]) -> bool:
    """Whether a [Match] section has a name or an address without a pattern."""
    words = [each for key in match.keys() & (_JUDGED - {"Type"}) for each in match[key]]
    return any(not set(word) & set("*?[!") for word in words)


def _any(words: list[str], own: Iterable[str]) -> bool:
    """Whether one of the shell patterns fits; a `!` before the first one turns all of them."""
    inverted = bool(words) and words[0].startswith("!")
    plain = [word.removeprefix("!").lower() for word in words]
    fits = any(fnmatchcase(name.lower(), word) for name in own for word in plain)
    return fits != inverted


def _stanzas(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, list[str]]]:
    """File, interface, and its family and method."""
    for file, text in found:
        stanza = _STANZA.fullmatch(text) if file.startswith(IFUPDOWN_FILE) else None
        if stanza and stanza["interface"] != "lo":
            yield file, stanza["interface"], stanza["how"].split()


def _sources(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Relative ones start where ifupdown's file is (interfaces(5))."""
    for file, text in found:
        if file.startswith(IFUPDOWN_FILE) and (source := _SOURCE.fullmatch(text)):
            for word in source["what"].split():
                path = join(IFUPDOWN_FILE.rpartition("/")[0], word)
                yield join(path, "*") if source["kind"] == "source-directory" else path
