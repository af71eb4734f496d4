"""What a fault left behind: each node as it is, whether the pair is whole, and who has to act."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from san.lab.errors import LabError
from san.lab.lab import Lab

from .pair import ANSWER, Replica, parse_proc_drbd

_LOOK = """
test ! -e /proc/drbd || cat /proc/drbd
echo "heartbeat: $(cl_status hbstatus 2>/dev/null || :)"
echo "holds: $(cl_status rscstatus 2>/dev/null || :)"
echo "portals: $(ss -Hltn 'sport = :3260' | wc -l)"
"""


@attrs.frozen
class NodeState:
    """A node as it answered; `replica` is None where DRBD isn't up."""

    node: str
    answers: bool = False
    replica: Replica | None = None
    heartbeat: bool = False
    holds: str = ""
    """Which resources its Heartbeat holds: `all`, `none`, `local`, `foreign`."""
    portals: int = 0
    """Addresses on which its target listens."""

    @property
    def primary(self) -> bool:
        """Whether its DRBD is Primary."""
        return self.replica is not None and self.replica.role == "Primary"

    @property
    def serves(self) -> bool:
        """Whether it is Primary and its target listens."""
        return self.primary and self.portals > 0

    @property
    def sentence(self) -> str:
        """The node in a few words."""
        if not self.answers:
            return f"{self.node} doesn't answer"
        drbd = "DRBD down"
        if (seen := self.replica) is not None:
            waits = ", I/O suspended" if seen.flow == "s" else ""
            drbd = f"{seen.connection} {seen.role} {seen.disk}/{seen.peer_disk}{waits}"
        does = "serves" if self.serves else "listens" if self.portals else "stands by"
        return f"{self.node} {does if self.heartbeat else f'{does} without Heartbeat'} ({drbd})"


def parse(node: str, text: str) -> NodeState:
    """Read what `_LOOK` prints."""
    told = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    replicas = parse_proc_drbd(node, text)
    return NodeState(
        node=node,
        answers=True,
        replica=replicas[0] if replicas else None,
        heartbeat="is running" in told.get("heartbeat", ""),
        holds=told.get("holds", "").strip(),
        portals=int(told.get("portals", "0")),
    )


def look(lab: Lab, nodes: Sequence[str], running: Iterable[str]) -> tuple[NodeState, ...]:
    """Ask all nodes at once; one that isn't running, or doesn't answer in time, says nothing."""
    there = set(running)

    def ask(node: str) -> NodeState:
        if node not in there:
            return NodeState(node)
        try:
            return parse(node, lab.ssh(node, _LOOK, timeout=ANSWER).stdout)
        except LabError:
            return NodeState(node)

    with ThreadPoolExecutor(len(nodes)) as pool:
        return tuple(pool.map(ask, nodes))


def whole(states: Iterable[NodeState]) -> bool:
    """Whether one node serves, the other stands by with the same data, both under Heartbeat."""
    states = tuple(states)
    return (
        [state.serves for state in states].count(True) == 1
        and [state.portals > 0 for state in states].count(True) == 1
        and all(state.replica is not None and state.replica.redundant for state in states)
        and all(state.heartbeat for state in states)
    )


def together(states: Iterable[NodeState]) -> bool:
    """Whether one node serves and the other is with it again, though perhaps not up to date yet."""
    states = tuple(states)
    return (
        [state.serves for state in states].count(True) == 1
        and all(state.replica is not None and state.replica.connected for state in states)
        and all(state.heartbeat for state in states)
    )


def serving(states: Iterable[NodeState]) -> str | None:
    """The one node that serves; None where none does, or both."""
    found = [state.node for state in states if state.serves]
    return found[0] if len(found) == 1 else None


def advice(states: Sequence[NodeState]) -> str:
    """What a person has to do to make the pair whole; empty when it is."""
    if whole(states):
        return ""
    todo = [f"see why {state.node} doesn't answer" for state in states if not state.answers]
    there = [state for state in states if state.answers]
    connections = {state.replica.connection for state in there if state.replica is not None}
    if "StandAlone" in connections:
        todo.append("decide whose data is right, and connect DRBD again")
    for state in there:
        if state.replica is None:
            todo.append(f"bring DRBD up on {state.node}")
        elif state.replica.disk == "Diskless":
            todo.append(f"replace the disk of {state.node} and attach it")
        if not state.heartbeat:
            todo.append(f"start Heartbeat on {state.node}")
    if not any(state.serves for state in there):
        todo.append("start the resources: nobody serves")
    elif len([state for state in there if state.serves]) > 1:
        todo.append("end one of both: two nodes serve")
    return "; ".join(todo) or "wait, or look why the pair isn't whole yet"
