"""After a split brain: one node, the one that was named, gives up its changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import attrs
from pyinfra import logger
from pyinfra.api.command import FunctionCommand, PyinfraCommand, QuoteString, StringCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import host, state

from facts.drbd_changes import DrbdChanges
from facts.drbd_history import DrbdHistory
from facts.heartbeat import Heartbeat
from facts.stgt import Stgt
from operations import lock
from operations.connection import connection
from operations.drbd import drbdadm
from operations.node import replication
from operations.observation import converging, observed, pair
from operations.preflight import everybody
from operations.waiting import until
from san.decide import recovery
from san.decide.recovery import Evidence
from san.decide.refusal import Refusal
from san.model import Cluster, DrbdResource, Node
from san.observe.drbd import COMPARED, DrbdState
from san.render.programs import SAVE
from san.render.verify import SERVICE

SLOWEST = 1024
"""KiB a second: a copy or a comparison that is slower is told, not waited for."""

MEETING = 120
"""Seconds for two sides to connect and to compare what they have."""


def _evidence() -> dict[str, Evidence]:
    cluster: Cluster = host.data.cluster
    resources = tuple((each.name, each.minor) for each in cluster.resources)
    found = replication()
    return {
        name: Evidence(
            drbd=found[name],
            history=observed(node, DrbdHistory, resources=resources),
            heartbeat=observed(node, Heartbeat),
            target=observed(node, Stgt),
        )
        for name, node in pair(cluster).items()
    }


def _victim() -> str | None:
    """The node that was named."""
    named = host.data.get("victim")
    return None if named is None else str(named)


def _splits() -> tuple[DrbdResource, ...]:
    return recovery.split(host.data.cluster, replication())


def _is_victim() -> bool:
    own: str = host.data.member.name
    return own == _victim()


@converging(Node)
def safe() -> Iterator[PyinfraCommand]:
    """Look at both sides; refuse where the named one must not give up its changes.

    Without a name nothing is done after this. With `--data report=FILE` what each side has is
    written there, on this machine. Takes the cluster's lock when the run begins to act.
    """
    cluster: Cluster = host.data.cluster
    everybody(cluster)
    if len(pair(cluster)) < len(cluster.nodes):
        raise Refusal("its peer isn't part of this run: what a side lacks only both can tell")
    victim = _victim()
    if victim is not None and state.is_executing:
        lock.take(host)
    evidence = _evidence()
    if host.data.get("report") and host.data.member == cluster.preferred:
        _report(Path(str(host.data.report)), evidence)
    if victim is not None:
        _allowed(victim, evidence)
    host.noop("both sides were looked at")
    yield from ()


def _allowed(victim: str, evidence: dict[str, Evidence]) -> None:
    cluster: Cluster = host.data.cluster
    _refuse(recovery.forbids(cluster, victim, evidence))
    if _splits() and not (host.data.get("image") or host.data.get("without_image")):
        raise Refusal(
            f"{victim}'s data is to be saved before its changes are given up: name a directory "
            f"on {victim} for the image (--image), or say why none is needed (--without-image)"
        )


def _report(path: Path, evidence: dict[str, Evidence]) -> None:
    cluster: Cluster = host.data.cluster
    parted = _splits()
    changes = {
        name: observed(
            node,
            DrbdChanges,
            resources=tuple((each.minor, each.disk_of(name)) for each in parted),
        )
        for name, node in pair(cluster).items()
        if parted
    }
    standings = recovery.standings(cluster, evidence, changes)
    found = [attrs.asdict(each) for each in standings]
    path.write_text(json.dumps({"cluster": cluster.name, "resources": found}), encoding="utf-8")


@converging(Node)
def demoted() -> Iterator[PyinfraCommand]:
    """Make the victim Secondary, so that nothing there changes any more."""
    if not _is_victim():
        return
    for resource in _splits():
        if replication()[host.data.member.name].devices[resource.minor].role == "Primary":
            yield StringCommand("drbdadm", "secondary", QuoteString(resource.name))


@converging(Node)
def saved() -> Iterator[PyinfraCommand]:
    """Save the victim's data as images, each compared with the disk after it was written.

    `--data image=DIRECTORY` names where, on the victim; `--data without_image=REASON` leaves them
    out.
    """
    if not _is_victim():
        return
    directory = host.data.get("image")
    if not directory:
        if _splits() and state.is_executing:
            host.log_styled(f"no image is saved: {host.data.without_image}", fg="yellow")
        return
    for resource in _splits():
        yield FunctionCommand(partial(_save, resource, str(directory)), (), {})


def _save(resource: DrbdResource, directory: str, state: State, host: Host) -> bool:  # noqa: ARG001 (pyinfra asks for these names)
    node = host.data.member.name
    words = (resource.disk_of(node), str(resource.minor), f"{directory}/{resource.name}-{node}.img")
    command = StringCommand("sh", "-c", QuoteString(SAVE), "san-image", *map(QuoteString, words))
    done, output = host.run_shell_command(
        lock.under(host, command),
        print_output=True,  # it takes minutes, and says how far it is
        **connection(host),
    )
    if not done:
        logger.error(f"{host.print_prefix}{output.stderr or 'the image is not saved'}")
    return done


@converging(Node)
def discarded() -> Iterator[PyinfraCommand]:
    """Let the victim connect as the side that gives up what it has changed."""
    if not _is_victim():
        return
    if state.is_executing:
        _allowed(host.data.member.name, _evidence())
    for resource in _splits():
        for command in recovery.gives_up(resource, replication()[host.data.member.name]):
            yield drbdadm(*command[1:])


@converging(Node)
def connected() -> Iterator[PyinfraCommand]:
    """Let the other side connect, where DRBD has given that up."""
    cluster: Cluster = host.data.cluster
    if _victim() is None or _is_victim():
        return
    for resource in cluster.resources:
        device = replication()[host.data.member.name].devices.get(resource.minor)
        if device is not None and device.connection == "StandAlone":
            yield drbdadm("connect", resource.name)


@converging(Node)
def copied() -> Iterator[PyinfraCommand]:
    """Wait until both nodes have the same data, and compare their generations. Changes nothing."""
    if _victim() is not None and state.is_executing:
        devices = [each for found in replication().values() for each in found.devices.values()]
        changed = sum(device.out_of_sync for device in devices)
        _until("both nodes to have the same data", recovery.uncopied, kib=changed)
        _refuse(recovery.differs(host.data.cluster, replication(every_generation=True)))
    yield from ()


@converging(Node)
def compared() -> Iterator[PyinfraCommand]:
    """Have san-verify compare every block of the two disks; clients are served meanwhile.

    Each call does: one that was ended before may not have come so far. What was recorded before is
    of other data, and goes first.
    """
    if _is_victim() and not replication()[host.data.member.name].verifying:
        yield StringCommand("rm", "-f", COMPARED, "&&", "systemctl", "start", SERVICE)


@converging(Node)
def equal() -> Iterator[PyinfraCommand]:
    """Wait until every block was compared, and refuse what differs. Changes nothing."""
    if _victim() is not None and state.is_executing:
        disks = replication()[host.data.member.name].disks.values()
        size = sum(disk.size for disk in disks) >> 10
        _until("every block to be compared", recovery.uncompared, kib=size)
        _refuse(recovery.unequal(host.data.cluster, replication(), str(_victim())))
    yield from ()


def _until(
    what: str, left: Callable[[Cluster, Mapping[str, DrbdState]], str | None], *, kib: float
) -> None:
    """Wait until nothing of that size is `left` to do; the victim tells how far it is."""

    def amiss() -> str | None:
        found = left(host.data.cluster, replication())
        if found is not None and _is_victim():
            host.log(found)
        return found

    until(what, amiss, limit=MEETING + kib / SLOWEST)


def _refuse(reason: str | None) -> None:
    if reason is not None:
        raise Refusal(reason)
