"""Kernel modules: built for each kernel of a node, once for both nodes."""

from collections.abc import Collection, Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.api.host import Host
from pyinfra.context import host

from facts.kmodule import KernelModules
from operations.file import differing, install, leftover
from operations.node import serving_node
from operations.observation import converging, observed, pair
from operations.packages import apt_install
from operations.transfer import between, fetched, upload
from san.decide.kmodules import Missing, headers, lacking, missing, sources, undeclared
from san.decide.refusal import Refusal
from san.decide.serving import Turn, has_turn
from san.model import Cluster, Node
from san.observe.kmodule import KernelModulesState
from san.render.kmod import PROGRAM, SOURCES, UNITS

BUILDS = "/var/lib/san/kmod/builds"
INCOMING = "/var/lib/san/kmod/incoming"
"""Where a twin's build lies until it is checked."""


@converging(Node)
def built(turn: Turn, kernels: Collection[str] = ()) -> Iterator[PyinfraCommand]:
    """Install `san-kmod` and its hooks, and build each declared module for each kernel.

    With `kernels`, for those releases only. A build that the twin node has finished is taken from
    it, verified by its sha256. Stops the run where the running kernel, the one that boots next, or
    one that is named would be left without a module.
    """
    cluster: Cluster = host.data.cluster
    # Where no node serves yet, the preferred one takes what the other has built.
    last = serving_node() or cluster.preferred.name
    if not has_turn(host.data.member.name, last, turn):
        return
    yield from _installed(cluster)
    if not cluster.modules:
        return
    if packages := headers(modules(), modules().running, modules().next):
        yield StringCommand(apt_install(packages))
    yield from builds(kernels)
    found = modules()
    for release in kernels or dict.fromkeys((found.running, found.next)):
        require(release)


def require(release: str) -> None:
    """Raise Refusal where this host lacks a module for the kernel `release`."""
    without = lacking(modules(), release)
    if without:
        raise Refusal("; ".join(without))


def _installed(cluster: Cluster) -> Iterator[PyinfraCommand]:
    """The program, what it is to build, from what, and what calls it; nothing of other modules."""
    changed = {file.path: file for file in differing("modules")}
    # First: what is asked below, an older one tells in other words.
    if program := changed.pop(PROGRAM, None):
        yield install(program)
    if cluster.modules:
        for sha256, location in sources(cluster, modules().sources).items():
            yield upload(fetched(location, sha256), f"{SOURCES}/{sha256}")
    for file in changed.values():
        yield install(file)
    leaving = leftover()
    if cluster.modules or leaving:
        for name in undeclared(cluster, modules()):
            yield StringCommand(PROGRAM, "forget", QuoteString(name))
    if leaving:
        yield StringCommand("rm", "-f", *leaving)
    if {*changed, *leaving} & set(UNITS):
        yield StringCommand("systemctl", "daemon-reload")


def modules() -> KernelModulesState:
    """The kernels and modules of this host."""
    return observed(host, KernelModules)


def twins() -> dict[str, KernelModulesState]:
    """The same of the other node by its name, where this run sees it."""
    return {name: observed(each, KernelModules) for name, each in _others().items()}


def _others() -> dict[str, Host]:
    nodes = pair(host.data.cluster)
    return {name: each for name, each in nodes.items() if name != host.data.member.name}


def builds(kernels: Collection[str] = ()) -> Iterator[PyinfraCommand]:
    """The commands that build what this host lacks, for all kernels or for those named."""
    for each in missing(host.data.cluster, modules(), twins().values(), kernels=kernels):
        yield from _made(each)


def _made(wanted: Missing) -> Iterator[PyinfraCommand]:
    """The commands that build a module here, or take the twin's build.

    A failure stops the run where the kernel runs or boots next; otherwise it is only told.
    """
    words = [PROGRAM, "build", "--kernel", wanted.release, wanted.module]
    if wanted.twin is not None:
        (twin,) = _others().values()
        file = f"{wanted.module}/{wanted.release}/{wanted.twin.key}.tar"
        arrived = f"{INCOMING}/{wanted.twin.sha256}"
        yield between(twin, f"{BUILDS}/{file}", arrived)
        words = [
            PROGRAM, "import", wanted.module, wanted.release, wanted.twin.key, wanted.twin.sha256,
            arrived,
        ]  # fmt: skip
    otherwise = () if wanted.required else ("||", ":")
    yield StringCommand(*(QuoteString(word) for word in words), *otherwise)
