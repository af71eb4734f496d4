"""A new kernel, node by node, while the cluster serves."""

from collections.abc import Iterator

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host, state
from pyinfra.operations import server

from facts.heartbeat import Heartbeat
from facts.kmodule import KernelCandidate
from operations import lock
from operations.cluster import settling
from operations.file import differing, install
from operations.kmodule import builds, modules, require, twins
from operations.node import serving_node, turn_of_this_host
from operations.observation import converging, observed, of_pair, pair
from operations.packages import APT
from operations.verify import cluster_amiss
from operations.waiting import until
from san.decide.kmodules import common, lacking, release_to
from san.decide.kmodules import headers as headers_of
from san.decide.kmodules import image as image_of
from san.decide.refusal import Refusal
from san.decide.serving import Turn
from san.model import Cluster, Node
from san.render.file import public
from san.render.kmod import PROGRAM

BOOT_LIMIT = 600
"""Seconds that a node's reboot may take: servers test their memory first."""

ORIGIN = "/var/lib/san/kmod/origin"
STANDBY = "/usr/share/heartbeat/hb_standby"


_targets: dict[tuple[str, bool], str] = {}
"""The release by cluster, for the plan and for its execution."""


def target() -> str:
    """The kernel both nodes go to: the one asked for with --to, or the newest that apt has.

    Decided at the first question and kept: apt's lists may change during a run, and the modules are
    built for one kernel.
    """
    cluster: Cluster = host.data.cluster
    key = (cluster.name, state.is_executing)
    if key not in _targets:
        asked = host.data.get("to")
        found = release_to(str(asked)) if asked else common(of_pair(cluster, KernelCandidate))
        # Both nodes ask at once, and the first answer is the one for both.
        _targets.setdefault(key, found)
    return _targets[key]


@converging(Node)
def lists() -> Iterator[PyinfraCommand]:
    """Refresh what apt knows, unless the kernel is named; the newest is decided on after it.

    Both nodes have to take part: one serves while the other reboots.
    """
    cluster: Cluster = host.data.cluster
    if len(pair(cluster)) < len(cluster.nodes):
        raise Refusal("its peer isn't part of this run: an upgrade takes both nodes; bring it back")
    if differing("modules"):
        raise Refusal("its modules aren't the inventory's yet: run deploy.py first")
    if not host.data.get("to") and state.is_executing:
        yield StringCommand(
            "apt-get update || echo 'apt-get update fails: going on with its lists'"
        )


@converging(Node)
def headers() -> Iterator[PyinfraCommand]:
    """Install the headers of the new kernel, and nothing else of it."""
    if target() == modules().running:
        return
    if packages := headers_of(modules(), target()):
        yield StringCommand(APT, *packages)


@converging(Node)
def built(turn: Turn) -> Iterator[PyinfraCommand]:
    """Build every module for the new kernel, on the standby; the serving node takes its builds.

    A build that fails is told, and judged by `complete`.
    """
    if not turn_of_this_host(turn):
        return
    yield from builds((target(),))


@converging(Node)
def complete() -> Iterator[PyinfraCommand]:
    """Refuse to go on where a node lacks a module for the new kernel, and hold its package there.

    Both nodes are then as they were: on their old kernel, which boots next.
    """
    if not state.is_executing:
        return
    release = target()
    nodes = {host.data.member.name: modules()} | twins()
    without = {name: lacking(found, release) for name, found in nodes.items()}
    if not any(without.values()):
        if modules().held:
            yield StringCommand(PROGRAM, "unhold")
        return
    said = "; ".join(f"{name}: {line}" for name, lines in without.items() for line in lines)
    yield StringCommand(PROGRAM, "hold", QuoteString(said))
    raise Refusal(f"{release} is not installed, and its package is held: {said}")


@converging(Node)
def origin() -> Iterator[PyinfraCommand]:
    """Write down on both nodes where the service is, before anything moves it."""
    if state.is_executing:
        until("both nodes to be whole", cluster_amiss, limit=settling(host.data.cluster))
    began = _began()
    if began is not None and modules().origin is None:
        yield install(public(ORIGIN, f"{began}\n", "modules"))


def _began() -> str | None:
    """Where the service was when the upgrade began; None where no upgrade is left to do."""
    nodes = (modules(), *twins().values())
    # A node that has lost it, or came late, goes by the other.
    for each in nodes:
        if each.origin is not None:
            return each.origin
    if all(each.running == target() for each in nodes):
        return None
    return serving_node()


def _stands_by(*, first: bool) -> bool:
    """Whether a step is for this host: the standby, with the service safe on its peer.

    A plan is made before the service has moved: there, all but the `first` steps are the serving
    node's, which stands by when they come.
    """
    serves: bool = serving_node() == host.data.member.name
    if not state.is_executing:
        return serves != first
    if not serves:
        _serves(_peer())
    return not serves


@converging(Node)
def image(*, first: bool) -> Iterator[PyinfraCommand]:
    """Install the new kernel on the standby; refuse to go on where its next boot won't take it."""
    if not _stands_by(first=first):
        return
    release = target()
    if state.is_executing:
        require(release)
    if release not in modules().kernels:
        yield StringCommand(APT, image_of(modules(), release))
    if state.is_executing:
        _boots(release)


def _boots(release: str) -> None:
    """Raise Refusal where this host would not boot `release` next, or lacks a module for it."""
    require(release)
    found = modules()
    if found.next != release:
        raise Refusal(
            f"the next boot takes {found.next}, not {release}; make it the boot loader's default "
            "(GRUB_DEFAULT=0 in /etc/default/grub, then update-grub), and run again"
        )


@converging(Node)
def rebooted(*, first: bool) -> Iterator[PyinfraCommand]:
    """Reboot the standby into the new kernel, and wait until it is whole again."""
    cluster: Cluster = host.data.cluster
    release = target()
    # Who serves is asked first: once the standby reboots, it doesn't answer its peer.
    if not _stands_by(first=first) or modules().running == release:
        return
    if state.is_executing:
        _boots(release)
    yield from server.reboot._inner(reboot_timeout=BOOT_LIMIT)  # noqa: SLF001 (pyinfra's way to nest)
    if state.is_executing:
        lock.take(host)
    running = modules().running
    if running != release:
        raise Refusal(f"it has booted {running}, not {release}; look at its boot loader")
    until("it to join again", _apart, limit=settling(cluster))
    until("the cluster to be whole", cluster_amiss, limit=settling(cluster))


def _apart() -> str | None:
    if observed(host, Heartbeat).running:
        return None
    return "Heartbeat doesn't run here: systemctl status heartbeat; san-kmod gate"


@converging(Node)
def moved() -> Iterator[PyinfraCommand]:
    """Move the service to the node that runs the new kernel."""
    if serving_node() == host.data.member.name and modules().running != target():
        yield from _move()


@converging(Node)
def returned() -> Iterator[PyinfraCommand]:
    """Move the service back to where it was when the upgrade began."""
    began = _began()
    serves = serving_node()
    if began is None:
        return
    if serves == host.data.member.name and serves != began and began in pair(host.data.cluster):
        yield from _move()
    if state.is_executing:
        _serves(began)
    yield StringCommand("rm", "-f", ORIGIN)


def _move() -> Iterator[PyinfraCommand]:
    if state.is_executing:
        until("both nodes to be whole", cluster_amiss, limit=settling(host.data.cluster))
    yield StringCommand(STANDBY, "all")
    _serves(_peer())


def _peer() -> str:
    cluster: Cluster = host.data.cluster
    return cluster.peer(host.data.member.name).name


def _serves(node: str) -> None:
    """Wait until `node` serves, and the cluster is whole."""
    until(f"{node} to serve", lambda: _elsewhere(node), limit=settling(host.data.cluster))


def _elsewhere(node: str) -> str | None:
    serves = serving_node()
    return cluster_amiss() if serves == node else f"{serves or 'no node'} serves"
