"""Kernel modules: what a node has to build, what it takes from its twin, what it can't have."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set

import attrs

from san.model import Archive, Cluster
from san.observe.kmodule import KernelModulesState

from .refusal import Refusal

_RELEASE = re.compile(r"[0-9][A-Za-z0-9.+~_-]{0,63}")


@attrs.frozen
class Finished:
    """A finished build on the twin node."""

    key: str
    sha256: str


@attrs.frozen
class Missing:
    """A module that a node has to build for a kernel, unless its twin has built it."""

    module: str
    release: str
    required: bool
    """Whether the kernel runs, or boots next: without the module the node can't serve."""
    twin: Finished | None = None


def sources(cluster: Cluster, there: Set[str]) -> dict[str, str]:
    """Archives and patches that are not yet `there`: where each is, by its sha256."""
    found: dict[str, str] = {}
    for module in cluster.modules:
        if isinstance(module.source, Archive):
            found[module.source.sha256] = module.source.location
        found.update({patch.sha256: patch.file for patch in module.patches})
    return {sha256: location for sha256, location in found.items() if sha256 not in there}


def missing(
    cluster: Cluster,
    found: KernelModulesState,
    twins: Iterable[KernelModulesState],
    *,
    kernels: Collection[str] = (),
) -> Iterator[Missing]:
    """What is to be built: not ready, for a kernel that it supports and whose headers are there.

    For all kernels, or for those of `kernels`. What has failed is tried again where the node needs
    it, or where the kernel is named; elsewhere only from other inputs.
    """
    twins = tuple(twins)
    declared = {each.name for each in cluster.modules}
    for (module, release), build in found.builds.items():
        if module not in declared or build.key is None or build.stand in {"ready", "unsupported"}:
            continue
        if kernels and release not in kernels:
            continue
        required = release in {found.running, found.next}
        if required or kernels or build.failed != build.key:
            yield Missing(module, release, required, _finished(module, release, build.key, twins))


def _finished(
    module: str, release: str, key: str, twins: Iterable[KernelModulesState]
) -> Finished | None:
    """The build of that key on a twin, if one has it."""
    for twin in twins:
        build = twin.builds.get((module, release))
        if build is not None and key in build.finished:
            return Finished(key, build.finished[key])
    return None


def headers(found: KernelModulesState, *releases: str) -> list[str]:
    """Packages of the headers that the node lacks for `releases`, each in its maker's words."""
    new = found.headers_package
    return [
        _named(found.headers_packages.get(each, new), each)
        for each in dict.fromkeys(releases)
        if each not in found.headers
    ]


def image(found: KernelModulesState, release: str) -> str:
    """The package that brings the kernel `release`, by the name of the running one's."""
    return _named(found.image_package, release)


def _named(package: str, release: str) -> str:
    """The package's name for `release`. Raises Refusal where the kernel's maker has no packages."""
    if not package:
        raise Refusal(
            f"the kernel came without a package, so apt knows neither {release} nor its headers: "
            f"install them as that kernel was, with /lib/modules/{release}/build"
        )
    return package.replace("*", release)


def lacking(found: KernelModulesState, release: str) -> tuple[str, ...]:
    """What keeps a node on the kernel `release` from serving, a sentence each."""
    # The report has no rows for a kernel of which the node has neither image nor headers.
    unknown = "nothing is known of it there"
    if found.headers_package:
        unknown += f"; apt-get install {_named(found.headers_package, release)}"
    builds = {module: found.builds.get((module, release)) for module in found.versions}
    return tuple(
        f"{module} for {release}: {build.reason if build else unknown}"
        for module, build in builds.items()
        if build is None or not build.usable
    )


def release_to(said: str) -> str:
    """A kernel's release, as it was asked for or as apt has it. Raises Refusal where it is none."""
    if not said:
        raise Refusal(
            "apt knows no kernel of the running one's kind here; name one: --to RELEASE, as "
            "`uname -r` prints it"
        )
    if not _RELEASE.fullmatch(said):
        raise Refusal(
            f"{said!r} is no kernel's release; write it as `uname -r` prints it, such as "
            "6.1.0-47-cloud-amd64"
        )
    return said


def common(candidates: Mapping[str, str]) -> str:
    """The release that apt has on every node. Raises Refusal where that isn't one and the same."""
    if len(set(candidates.values())) > 1:
        known = sorted(candidates.items())
        found = ", ".join(f"{said or 'none'} on {node}" for node, said in known)
        raise Refusal(
            f"apt's newest kernel is {found}: both nodes take the same one; apt-get update where "
            "it is older, or name one: --to RELEASE"
        )
    return release_to(next(iter(candidates.values())))


def undeclared(cluster: Cluster, found: KernelModulesState) -> tuple[str, ...]:
    """Modules that the node still builds, and the inventory no longer names."""
    declared = {module.name for module in cluster.modules}
    return tuple(name for name in found.versions if name not in declared)
