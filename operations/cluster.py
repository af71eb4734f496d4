"""Heartbeat: its files, its start, and the resources that the serving node should hold."""

from collections.abc import Iterable, Iterator, Mapping, Set

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.context import host, state

from facts.files import Files
from facts.heartbeat import Heartbeat
from facts.lvm import Lvm
from facts.network import Network
from facts.stgt import Stgt
from operations.fencing import judge
from operations.file import differing, install, rewritten, wanted
from operations.node import heartbeats, replication, serving_node, turn_of_this_host
from operations.observation import converging, observed, of_pair, pair
from operations.promotion import data_from, either_may_serve, first_to_serve, left_behind
from operations.waiting import until
from san.decide.group import Holdings, absent_portals, lacking
from san.decide.heartbeat import AUTHKEYS, HA_CF, deaf
from san.decide.refusal import Refusal
from san.decide.serving import Turn
from san.decide.target import serves_exactly
from san.model import Cluster, Node
from san.observe.heartbeat import HeartbeatState
from san.render.fence import PROGRAM as FENCE
from san.render.files import HEARTBEAT_UNIT, MANAGER, RESOURCE_SCRIPTS

_RELOAD = ("systemctl", "daemon-reload")

# The file is never missing: Heartbeat may need it at any moment. Ours is never taken for the
# package's.
_DIVERT = """\
set -eu
if [ ! -e "$1.distrib" ] && ! grep -q 'Written by pyinfra-san' "$1"; then
    cp -a -- "$1" "$1.distrib.new"
    mv -- "$1.distrib.new" "$1.distrib"
fi
dpkg-divert --quiet --local --no-rename --divert "$1.distrib" --add "$1"
"""


@converging(Node)
def configured(turn: Turn) -> Iterator[PyinfraCommand]:
    """Install Heartbeat's unit, ha.cf, authkeys, haresources and the resource scripts.

    haresources and the scripts, with ours that runs them, are read anew at each takeover, ha.cf at
    Heartbeat's start: the standby's is restarted. The serving node's replaces its process and keeps
    what it holds; it announces the pause, which takes a second or two.
    """
    if not turn_of_this_host(turn):
        return
    cluster = host.data.cluster
    judge(installed=state.is_executing)
    changed = differing("cluster")
    found = observed(host, Heartbeat)
    paths = {file.path for file in changed if rewritten(file)}
    states = heartbeats()
    runs = any(each.running for each in states.values())
    anew = found.outdated or found.renewed or HA_CF in {file.path for file in changed}
    taken = {*paths, AUTHKEYS} if anew else paths  # a new process reads all that lies there
    keys = _other_keys(cluster) if runs and AUTHKEYS in taken else frozenset()
    parting = deaf(cluster, states, taken, keys)
    if parting is not None:
        raise Refusal(parting)
    for file in changed:
        if file.path in MANAGER:
            yield _diverted(file.path)
        yield install(file, *(_RELOAD if file.path == HEARTBEAT_UNIT else ()))
    if found.running and anew:
        if len(pair(cluster)) < len(cluster.nodes):
            # What the peer runs by isn't known, and a new process here might take it for silent.
            host.log_styled("ha.cf takes effect in a run that sees both nodes", fg="yellow")
        elif serving_node() not in {None, host.data.member.name}:
            yield StringCommand("systemctl", "restart", "heartbeat.service")
        else:
            yield from _replaced(cluster)
    if turn == "serving" and found.running:
        # No client knows of a new portal before the run has come to the clients.
        yield from _started(absent_portals(cluster, observed(host, Network)))


def _other_keys(cluster: Cluster) -> Set[str]:
    """The nodes whose authkeys isn't the inventory's."""
    digest = wanted(AUTHKEYS).sha256
    found = of_pair(cluster, Files, paths=(AUTHKEYS,))
    return {
        name
        for name, files in found.items()
        if (there := files.get(AUTHKEYS)) is None or there.sha256 != digest
    }


def _diverted(path: str) -> StringCommand:
    """Keep the package's own file beside ours, through all its upgrades (dpkg-divert(1))."""
    return StringCommand("sh", "-c", QuoteString(_DIVERT), "san-divert", path)


def _replaced(cluster: Cluster) -> Iterator[StringCommand]:
    """A new Heartbeat process with what this one holds (heartbeat(8), -r)."""
    watchdog = cluster.heartbeat.watchdog
    if watchdog is not None:
        yield StringCommand("modprobe", watchdog.module)
    yield StringCommand(FENCE, "serial", "&&", "/usr/libexec/heartbeat/heartbeat", "-r")


@converging(Node)
def started() -> Iterator[PyinfraCommand]:
    """Start Heartbeat where it doesn't run; both nodes start at once, so the preferred one serves.

    A node whose peer this run can't see is left stopped: it might take over what the peer serves.
    So is one that might serve older data: while neither is Primary (`operations.promotion`), and
    while it is apart from the peer that is.
    """
    cluster = host.data.cluster
    if observed(host, Heartbeat).running:
        return
    if len(pair(cluster)) < len(cluster.nodes):
        host.noop("Heartbeat stays stopped: the peer can't be seen")
        return
    serves = serving_node()
    if serves is None:
        first = first_to_serve()
        if data_from() and host.data.member.name != first and not either_may_serve():
            host.noop(f"Heartbeat stays stopped: the data of {first} is to be served")
            return
    elif serves != host.data.member.name and (reason := left_behind()):
        host.log_styled(f"Heartbeat stays stopped: {reason}", fg="yellow")
        return
    yield StringCommand("systemctl", "start", "heartbeat.service")


@converging(Node)
def complete() -> Iterator[PyinfraCommand]:
    """Start what the serving node's group lacks: what was declared since it took the group."""
    cluster = host.data.cluster
    if state.is_executing and observed(host, Heartbeat).running:
        until("Heartbeat to settle", unsettled, limit=settling(cluster))
    if serving_node() != host.data.member.name or not observed(host, Heartbeat).running:
        return
    holdings = Holdings(
        replication()[host.data.member.name],
        observed(host, Lvm),
        observed(host, Network),
        targets_served=serves_exactly(cluster, observed(host, Stgt)),
    )
    yield from _started(lacking(cluster, holdings))


def _started(resources: Iterable[tuple[str, ...]]) -> Iterator[StringCommand]:
    """Start them one by one, for as long as this node serves."""
    for script, *arguments in resources:
        if serving_node() != host.data.member.name:
            return
        words = (f"{RESOURCE_SCRIPTS}/{script}", *arguments, "start")
        yield StringCommand(*(QuoteString(word) for word in words))


def settling(cluster: Cluster) -> float:
    """Seconds that Heartbeat may take from its start until one node holds everything."""
    return cluster.heartbeat.initdead + 120


def moving() -> str | None:
    """Which Heartbeat is starting, or moving resources: no time to decide who serves.

    One that starts alone is not waited for: its peer is started before it takes everything.
    """
    states = heartbeats()
    if not all(found.running for found in states.values()):
        states = {name: found for name, found in states.items() if found.holds is not None}
    return _undecided(states)


def unsettled() -> str | None:
    """What Heartbeat still has to decide, by its own word on the nodes that this run sees.

    One that doesn't run has nothing to decide (`operations.verify` tells of it).
    """
    cluster: Cluster = host.data.cluster
    states = heartbeats()
    undecided = _undecided({name: found for name, found in states.items() if found.running})
    if undecided is not None:
        return undecided
    preferred = cluster.preferred.name
    held = any(found.holds_group_of(preferred, name) for name, found in states.items())
    if not held and len(states) > 1:
        return "no node holds the resources; look at: journalctl -u heartbeat"
    return None


def _undecided(states: Mapping[str, HeartbeatState]) -> str | None:
    """Which of them doesn't say what it holds."""
    for name, found in states.items():
        if found.holds is None:
            return f"Heartbeat on {name} doesn't answer; look at: journalctl -u heartbeat"
        if found.holds == "transition":
            return f"{name} is still moving resources"
    return None
