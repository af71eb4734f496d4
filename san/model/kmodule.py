"""Kernel modules that no Debian kernel brings: where their source is, and how it becomes a module.

`san.modules` has those that this library knows; any other is declared the same way, without code.
"""

import re
from collections.abc import Iterator

import attrs

from . import text
from .declare import (
    Check,
    Finding,
    a,
    declared,
    duplicates,
    each,
    independent,
    many,
    one_of,
    optional,
    shown,
    whole,
)
from .plain import plain
from .problem import Problem

_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,5}){0,3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RELATIVE = re.compile(r"(?!-)[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)*")
_PLAIN_LINE = re.compile(r"[ -~]{1,512}")
_ARCHIVE = re.compile(
    r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*\.(?:tar|tar\.(?:gz|bz2|xz|zst)|tgz|tbz2|txz)"
)

SPACE_MIB = 200
"""MiB that a build may take, where nothing else is said: source, objects and the result."""


def _pattern(pattern: re.Pattern[str], rule: str) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, str) and pattern.fullmatch(value):
            return None
        return f"{shown(value)} is not {rule}"

    return check


_version = _pattern(_VERSION, "a kernel's version such as '6.1' or '6.1.90'")
_sha256 = _pattern(_SHA256, "a sha256: 64 hex digits in lower case, as sha256sum prints them")
_relative = _pattern(_RELATIVE, "a plain path below the source, such as 'kernel/iscsi_trgt.ko'")
_argument = _pattern(_PLAIN_LINE, "an argument on one line, of printable ASCII")


def _module_file(value: object) -> Finding:
    sentence = _relative(value)
    if sentence is None and not str(value).endswith(".ko"):
        sentence = f"{shown(value)} is not a module's file; it ends with .ko"
    return sentence


def _path(value: object) -> str | None:
    sentence = text.carried(value)
    if sentence is None and (not str(value).startswith("/") or "/../" in f"{value}/"):
        sentence = f"{shown(value)} is not an absolute path on the node"
    return sentence


def _place(value: object) -> Finding:
    sentence = _relative(value)
    if sentence is None and not str(value).startswith(("updates/", "extra/", "kernel/")):
        sentence = (
            f"{shown(value)} is not below updates/, extra/ or kernel/ of /lib/modules/RELEASE; "
            "depmod takes updates/ first (depmod.d(5))"
        )
    return sentence


def _location(value: object) -> str | None:
    if not isinstance(value, str) or not _PLAIN_LINE.fullmatch(value) or " " in value:
        return f"{shown(value)} is neither a URL nor a file's path"
    scheme, separator, _ = value.partition("://")
    if separator and scheme not in ("https", "http"):
        return f"{shown(value)} has the scheme {scheme!r}; write https://, or a file's path"
    if not _ARCHIVE.fullmatch(value.rpartition("/")[2]):
        return f"{shown(value)} does not end with an archive's name, such as iet-1.4.tar.gz"
    return None


def _signing_key(value: object) -> str | None:
    if not (isinstance(value, str) and value.startswith("pkcs11:")):
        return _path(value)
    if "pin-value=" in value:
        return (
            "the URI has its PIN in it, which any user of the node could read; write it to a file "
            "for root alone there, and pin-source=file:/PATH here"
        )
    return text.carried(value)


def _command(value: object) -> Finding:
    return many(str, "arguments")(value) or each(_argument)(value)


def _start(value: object) -> Finding:
    return None if value == "." else _relative(value)


@attrs.frozen
class Kernels:
    """Kernel versions from `first` to `last`, both included; `last="6.1"` takes in all of 6.1.

    None leaves that end open. The version is the kernel's own, which its headers know
    (linux/version.h): Debian's release 6.1.0-53 is 6.1.187.
    """

    first: str | None = declared(optional(_version), default=None)
    last: str | None = declared(optional(_version), default=None)

    def problems(self) -> Iterator[Problem]:
        """An empty range."""
        if (
            self.first
            and self.last
            and _numbers(self.first)[: len(_numbers(self.last))] > _numbers(self.last)
        ):
            yield Problem("last", f"{self.last!r} comes before {self.first!r}; exchange them")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@attrs.frozen
class Archive:
    """A source archive: fetched by the machine that runs the deploy, checked, and kept on the node.

    A node needs no network for it: not for the first build, and not for any later kernel's.
    """

    location: str = declared(_location)
    """A URL, or a file's path, seen from where pyinfra is started."""
    sha256: str = declared(_sha256)

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.location.rpartition("/")[2]


@attrs.frozen
class Directory:
    """A source directory on the node, such as /usr/src/NAME-VERSION of a Debian package."""

    path: str = declared(_path)


@attrs.frozen
class Patch:
    """A patch (patch(1), -p1) for some kernels; the order of declaration is that of application."""

    file: str = declared(text.carried)
    """Its path, seen from where pyinfra is started."""
    sha256: str = declared(_sha256)
    kernels: Kernels = declared(a(Kernels, "Kernels"), default=Kernels())


@attrs.frozen
class Tool:
    """A program that the build makes beside the module, such as a target's daemon."""

    file: str = declared(_relative)
    """Its path in the source."""
    destination: str = declared(_path)
    """Where it lands on the node."""


@attrs.frozen
class Signing:
    """The operator's key for Secure Boot (linux: Documentation/admin-guide/module-signing.rst)."""

    key: str = declared(_signing_key)
    """Its path on the node, or a `pkcs11:` URI (RFC 7512), whose PIN is in a file that it names:
    `pkcs11:token=mok;object=key;type=private?pin-source=file:/root/pin`."""
    certificate: str = declared(_path)
    """Its X.509 certificate in DER, enrolled with mokutil(1)."""


@attrs.frozen
class KernelModule:
    """A kernel module that is built on the nodes, for each of their kernels."""

    name: str = declared(text.token)
    version: str = declared(text.token)
    source: Archive | Directory = declared(a((Archive, Directory), "an Archive or a Directory"))
    files: tuple[str, ...] = declared(many(str, "paths", least=1), each(_module_file))
    """What the build makes, by its path in the source or its end: `dm-writeboost.ko`."""
    make: tuple[tuple[str, ...], ...] = declared(
        many(tuple, "tuples of make's arguments", least=1),
        each(_command),
        default=(("-C", "{build}", "M={source}", "modules"),),
    )
    """One tuple of arguments for each call of make(1). `{build}` is the kernel's build tree,
    `{release}` its `uname -r`, `{source}` the source's directory, where make starts."""
    subdirectory: str = declared(_start, default=".")
    """Where make starts, below the source."""
    kernels: Kernels = declared(a(Kernels, "Kernels"), default=Kernels())
    """Those that it supports."""
    patches: tuple[Patch, ...] = declared(many(Patch, "Patches"), default=())
    packages: tuple[str, ...] = declared(many(str, "packages"), each(text.token), default=())
    """Debian packages that a build needs besides gcc, make and the kernel's headers."""
    place: str = declared(_place, default="updates/san")
    """Where its files land, below /lib/modules/RELEASE."""
    load: tuple[str, ...] = declared(many(str, "modules"), each(text.token), default=())
    """What a boot loads, in this order (modules-load.d(5)); nothing: the target's script does."""
    options: tuple[str, ...] = declared(many(str, "lines"), each(_argument), default=())
    """Lines of modprobe.d(5), such as `options dm_writeboost foo=1`."""
    tools: tuple[Tool, ...] = declared(many(Tool, "Tools"), default=())
    signing: Signing | None = declared(optional(a(Signing, "a Signing")), default=None)
    initrd: bool = declared(one_of(True, False), default=False)
    """Whether the initrd has to carry it: the root file system lies behind it."""
    as_root: bool = declared(one_of(True, False), default=False)
    """Whether its makefiles only work for root. They get a user of their own otherwise."""
    space: int = declared(whole(1, 100_000, "MiB that a build may take"), default=SPACE_MIB)

    def problems(self) -> Iterator[Problem]:
        """Two files with one name: they would land in one place."""
        return independent(self, self._files(), self._tools())

    def _files(self) -> Iterator[Problem]:
        for name in duplicates(file.rpartition("/")[2] for file in self.files):
            yield Problem("files", f"{name} is there twice; a kernel has each module once")

    def _tools(self) -> Iterator[Problem]:
        for name in duplicates(tool.destination.rpartition("/")[2] for tool in self.tools):
            yield Problem("tools", f"two of them land as {name}; give each a name of its own")

    def to_json(self) -> dict[str, object]:
        """The module as plain data."""
        return plain(self)
