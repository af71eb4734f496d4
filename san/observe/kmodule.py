"""Kernel modules of a node, as `san-kmod report` tells them."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast, get_args

import attrs

from .sections import UnreadableError, script, split

Stand = Literal["ready", "stale", "unusable", "absent", "unsupported"]
"""`stale` works, and was built from other inputs; `unusable` is there and would not load;
`unsupported` is for other kernels."""

FORMAT = "3"
"""Of the rows below, as `san-kmod report` says it first: another's program prints others."""

REPORT_LIMIT = 120
"""Seconds: each kernel's initrd is unpacked once, to see what it carries."""

_ROWS = {
    "format": 1,
    "running": 1,
    "next": 1,
    "enforcing": 0,
    "held": 1,
    "origin": 1,
    "packages": 2,
    "kernel": 2,
    "headers": 1,
    "source": 1,
    "module": 2,
    "stand": 6,
    "file": 7,
    "build": 4,
}
"""Fields of each row after its word."""


@attrs.frozen
class ModuleFile:
    """An installed .ko (modinfo(8))."""

    path: str
    vermagic: str
    srcversion: str
    signer: str
    """Who signed it; empty where nobody did."""
    initrd: bool
    """Whether the kernel's initrd carries a module of this name."""


@attrs.frozen
class Build:
    """A module for a kernel of a node."""

    stand: Stand
    key: str | None
    """What a build now would be known by; None without the kernel's headers."""
    failed: str | None
    """What the last build that failed was known by."""
    reason: str
    """Why it is not ready; empty where it is."""
    files: tuple[ModuleFile, ...] = ()
    finished: Mapping[str, str] = attrs.field(factory=dict)
    """Finished builds on this node: the file's sha256 by key."""

    @property
    def usable(self) -> bool:
        """Whether the kernel can load it."""
        return self.stand in {"ready", "stale"}


@attrs.frozen
class KernelModulesState:
    """All kernels and modules of a node."""

    installed: bool
    """Whether this version's `san-kmod` is there; where it isn't, nothing else is known."""
    running: str = ""
    next: str = ""
    """The release that the next boot takes."""
    enforcing: bool = False
    """Whether this machine takes signed modules only."""
    held: str | None = None
    """Why the kernel's upgrade is held."""
    origin: str | None = None
    """The node that served when an upgrade of the kernels began that hasn't ended."""
    kernels: tuple[str, ...] = ()
    """Installed kernels, oldest first."""
    headers: frozenset[str] = frozenset()
    """Kernels whose headers are there, the kernel itself installed or not."""
    image_package: str = "linux-image-*"
    """What packages of the running kernel's maker are called, with `*` for the release; empty where
    that kernel came without a package."""
    headers_package: str = "linux-headers-*"
    """The same of their headers'."""
    headers_packages: Mapping[str, str] = attrs.field(factory=dict)
    """The package of each installed kernel's headers; empty where that kernel came without one."""
    sources: frozenset[str] = frozenset()
    """Archives and patches that the node has, by sha256."""
    versions: Mapping[str, str] = attrs.field(factory=dict)
    """The modules that the node knows how to build."""
    builds: Mapping[tuple[str, str], Build] = attrs.field(factory=dict)
    """By module and kernel release."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        builds = [
            {"module": module, "release": release, **attrs.asdict(build)}
            for (module, release), build in self.builds.items()
        ]
        sets = {"sources": sorted(self.sources), "headers": sorted(self.headers)}
        return {**attrs.asdict(self), **sets, "builds": builds}


def shell(program: str) -> str:
    """The script whose output `parse` reads: one call of `san-kmod`, whose path is `program`."""
    part = f"[ -x {program} ] || exit 127; exec {program} report"
    return script({"kmod": part}, limit=REPORT_LIMIT)


def parse(output: Iterable[str]) -> KernelModulesState:
    """Read the section `kmod`: rows of tab-separated fields, the first of them the format."""
    sections = split(output)
    if "kmod" not in sections:
        raise UnreadableError("the kernel modules' answer lacks its part")
    section = sections["kmod"]
    if section.missing:
        return KernelModulesState(installed=False)
    if section.status:
        raise UnreadableError(f"san-kmod report fails: {' '.join(section.lines[-1:])}")
    rows = [line.split("\t") for line in section.lines if line]
    if ["format", FORMAT] not in rows[:1]:
        return KernelModulesState(installed=False)
    for row in rows:
        if _ROWS.get(row[0]) != len(row) - 1:
            raise UnreadableError(f"san-kmod report printed no row that is known: {' '.join(row)}")
    single = {row[0]: row[1] for row in rows if len(row) == 2}  # noqa: PLR2004 (word, value)
    if not {"running", "next"} <= single.keys():
        raise UnreadableError("san-kmod report doesn't say which kernel runs, or boots next")
    if not single["next"]:
        raise UnreadableError(
            "there is no kernel in /boot, so nobody can tell what boots next: mount /boot"
        )
    ((_, image, headers),) = _of(rows, "packages") or [["packages", "", ""]]
    return KernelModulesState(
        installed=True,
        running=single["running"],
        next=single["next"],
        enforcing=["enforcing"] in rows,
        held=single.get("held"),
        origin=single.get("origin"),
        kernels=tuple(release for _, release, _ in _of(rows, "kernel")),
        headers=frozenset(release for _, release in _of(rows, "headers")),
        image_package=image,
        headers_package=headers,
        headers_packages={release: package for _, release, package in _of(rows, "kernel")},
        sources=frozenset(sha256 for _, sha256 in _of(rows, "source")),
        versions={name: version for _, name, version in _of(rows, "module")},
        builds={(row[1], row[2]): _build(row, rows) for row in _of(rows, "stand")},
    )


def _of(rows: list[list[str]], word: str) -> list[list[str]]:
    return [row for row in rows if row[0] == word]


def _build(stand: list[str], rows: list[list[str]]) -> Build:
    _, module, release, word, key, failed, reason = stand
    if word not in get_args(Stand):
        raise UnreadableError(f"san-kmod says {module} is {word!r} for {release}")
    mine = [row for row in rows if row[1:3] == [module, release]]
    return Build(
        stand=cast("Stand", word),
        key=key or None,
        failed=failed or None,
        reason=reason,
        files=tuple(_file(row) for row in _of(mine, "file")),
        finished={row[3]: row[4] for row in _of(mine, "build")},
    )


def _file(row: list[str]) -> ModuleFile:
    *_, path, vermagic, srcversion, signer, initrd = row
    return ModuleFile(path, vermagic, srcversion, signer, initrd=initrd == "yes")
