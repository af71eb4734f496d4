"""Who may give up changes, by what both sides are; and when both have the same again."""

import attrs
import pytest
from states import device, drbd

from san.decide.recovery import (
    Evidence,
    differs,
    forbids,
    gives_up,
    split,
    standings,
    uncompared,
    uncopied,
    unequal,
)
from san.observe.drbd import Comparison
from san.observe.drbd_changes import Changes, ChangesState
from san.observe.drbd_generations import Generation
from san.observe.drbd_history import HistoryState, Past
from san.observe.heartbeat import HeartbeatState
from san.observe.stgt import StgtSession, StgtState, StgtTarget

A, B, C = (letter * 15 + "0" for letter in "ABC")
SOUND = ("consistent", "was-up-to-date")
ALONE = {"connection": "StandAlone", "peer_disk": "DUnknown", "out_of_sync": 8}


def target(*initiators):
    sessions = tuple(StgtSession(1, name, None, ()) for name in initiators)
    served = StgtTarget(1, "iqn.x:test", "ready", (), sessions, (), (), ("ALL",), ())
    return StgtState(True, True, "disabled", (served,), ())


def heartbeat(*, running):
    return HeartbeatState(True, running, "enabled", None, None, None, None, None)


def evidence(own, generation, *, past=None, running=False, clients=()):
    return Evidence(
        drbd(own, generation=generation),
        HistoryState({"r0": past or Past()}),
        heartbeat(running=running),
        target(*clients),
    )


@pytest.fixture
def sides():
    """Both moved on; weasel serves, otter's Heartbeat is stopped."""
    return {
        "weasel": evidence(
            device("Primary", "Unknown", **ALONE), Generation(B, A, (), SOUND), running=True
        ),
        "otter": evidence(device("Secondary", "Unknown", **ALONE), Generation(C, A, (), SOUND)),
    }


def but(sides, node, **parts):
    """The same with another device or generation of a node."""
    state = sides[node].drbd
    own = attrs.evolve(
        state.devices[0], **{k: v for k, v in parts.items() if k not in {"flags", "clients"}}
    )
    generation = state.generations["r0"]
    if "flags" in parts:
        generation = attrs.evolve(generation, flags=parts["flags"])
    state = attrs.evolve(state, devices={0: own}, generations={"r0": generation})
    changed = attrs.evolve(sides[node], drbd=state)
    if "clients" in parts:
        changed = attrs.evolve(changed, target=target(*parts["clients"]))
    return {**sides, node: changed}


def states(sides):
    return {node: each.drbd for node, each in sides.items()}


def test_the_idle_side_may_give_up(cluster, sides):
    assert [each.name for each in split(cluster, states(sides))] == ["r0"]
    assert forbids(cluster, "otter", sides) is None


def test_a_side_that_clients_use_or_that_may_serve_may_not(cluster, sides):
    assert "Heartbeat runs on weasel" in forbids(cluster, "weasel", sides)
    used = but(sides, "otter", clients=("iqn.x:badger",))
    assert "clients are logged in at otter (iqn.x:badger)" in forbids(cluster, "otter", used)


@pytest.mark.parametrize(
    ("node", "parts", "said"),
    [
        ("weasel", {"disk": "Diskless"}, "r0 is Diskless on weasel: the only good copy may be"),
        ("weasel", {"disk": "Outdated"}, "r0 is Outdated on weasel"),
        ("weasel", {"flags": ("consistent",)}, "r0 is UpToDate on weasel: the only good copy"),
        ("otter", {"disk": "Diskless"}, "r0 has no disk on otter: attach it first"),
        ("weasel", {"out_of_sync": 0}, "weasel has changed nothing of r0, and otter 8 KiB"),
    ],
)
def test_the_side_that_is_kept_has_to_be_whole(cluster, sides, node, parts, said):
    assert said in forbids(cluster, "otter", but(sides, node, **parts))


def test_two_sides_without_a_change_may_part_with_either(cluster, sides):
    unchanged = but(but(sides, "weasel", out_of_sync=0), "otter", out_of_sync=0)
    assert "DRBD chooses by itself; let a client write something on weasel" in forbids(
        cluster, "otter", unchanged
    )
    assert forbids(cluster, "otter", but(unchanged, "weasel", role="Secondary")) is None


def test_a_name_that_is_no_node(cluster, sides):
    said = forbids(cluster, "badger", sides)
    assert said == (
        "'badger' is no node of the cluster reference: name weasel or otter as the victim"
    )


def test_what_is_only_apart_is_told(cluster, sides):
    older = attrs.evolve(
        sides["otter"],
        drbd=drbd(sides["otter"].drbd.devices[0], generation=Generation(A, "0" * 16, (), SOUND)),
    )
    said = forbids(cluster, "otter", {**sides, "otter": older})
    assert "r0 isn't connected, and no split brain: its data on the nodes is newer" in said
    unknown = attrs.evolve(sides["otter"], drbd=drbd(sides["otter"].drbd.devices[0]))
    assert "what it has isn't known" in forbids(cluster, "otter", {**sides, "otter": unknown})


def test_a_waiting_victim_is_disconnected_first(cluster, sides):
    """As an ended call left it: it waits for the other side, with or without its intention."""
    (r0,) = cluster.resources
    connect = ("drbdadm", "connect", "--discard-my-data", "r0")
    assert list(gives_up(r0, sides["otter"].drbd)) == [connect]
    waiting = but(sides, "otter", connection="WFConnection")["otter"].drbd
    assert list(gives_up(r0, waiting)) == [("drbdadm", "disconnect", "r0"), connect]


def test_how_far_the_copy_is(cluster):
    source = device("Primary", replication="SyncSource", peer_disk="Inconsistent")
    followed = device(replication="SyncTarget", disk="Inconsistent", resync_percent=41.6)
    copying = {"weasel": drbd(device("Primary")), "otter": drbd(followed)}
    assert uncopied(cluster, {"weasel": drbd(source)}) == (
        "r0 on weasel is SyncSource, UpToDate/Inconsistent"
    )
    said = "r0 on otter is SyncTarget, Inconsistent/UpToDate, 42 % copied"
    assert uncopied(cluster, copying) == said
    assert uncopied(cluster, {"weasel": drbd(device()), "otter": drbd(device())}) is None
    assert "Diskless" in uncopied(cluster, {"weasel": drbd(None)})


def test_both_have_the_same_generation_but_for_the_primarys_bit(cluster):
    def both(one, other):
        return {"weasel": drbd(device(), generation=one), "otter": drbd(device(), generation=other)}

    assert differs(cluster, both(A, A[:-1] + "1")) is None
    assert "their generations differ" in differs(cluster, both(A, B))
    assert "their generations differ" in differs(cluster, both(A, None))


def test_what_each_side_has(cluster, sides):
    past = Past(parted=10.0, moved_on=11.0, primary=9.0, secondary=15.0)
    otter = attrs.evolve(sides["otter"], history=HistoryState({"r0": past}))
    weasel = attrs.evolve(
        sides["weasel"], history=HistoryState({"r0": attrs.evolve(past, secondary=8.0)})
    )
    (r0,) = standings(cluster, {"otter": otter, "weasel": weasel}, {})
    assert [side.node for side in r0.sides] == ["weasel", "otter"]
    serves, idle = r0.sides
    assert (serves.changed_from, serves.changed_until, serves.heartbeat) == (11.0, None, True)
    assert (idle.parted, idle.changed_from, idle.changed_until) == (10.0, 11.0, 15.0)
    assert r0.relation == "split"


LUN = "iqn.2009-02.com.example:test LUN 1 (storage/test)"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Changes({"storage/test": 8}), ({LUN: 8}, 0, ())),
        (Changes({"storage/scratch": 4}, 4, ("storage/test",)), ({"storage/scratch": 4}, 0, ())),
        (Changes({}, 0, ("storage/test", "storage/scratch")), ({}, 8, (LUN, "storage/scratch"))),
        (Changes({"storage/test": 4}, 0, ("storage/test",)), ({LUN: 4}, 4, (LUN,))),
        (Changes(unknown="no lvm"), ({}, 0, ())),
    ],
    ids=["all", "elsewhere", "in memory", "partly", "unknown"],
)
def test_in_which_luns_a_side_has_changed(cluster, sides, found, told):
    (r0,) = standings(cluster, sides, {"otter": ChangesState({0: found})})
    where = r0.sides[1].changed
    assert (where.luns, where.uncounted, where.active) == told
    assert (where.elsewhere, where.unknown) == (found.elsewhere, found.unknown)


def test_what_a_comparison_finds(cluster):
    def both(**parts):
        compared = {"r0": Comparison(1795891300, 0)}
        otter = drbd(device(**parts), compared=compared)
        return {"weasel": drbd(device("Primary")), "otter": otter}

    def found(states):
        return unequal(cluster, states, "otter")

    running = both(replication="VerifyS", resync_percent=41.6)
    assert uncompared(cluster, running) == "r0 on otter: 42 % compared"
    begun = both()
    begun["otter"] = attrs.evolve(begun["otter"], verifying=True)
    assert uncompared(cluster, begun) == "san-verify is at work on otter"
    assert uncompared(cluster, both()) is None
    assert found(both()) is None
    assert found(both(out_of_sync=8)).startswith("8 KiB of r0 differ between the nodes")
    without = both()
    without["otter"] = attrs.evolve(without["otter"], compared={})
    assert "has ended before its end: journalctl -u san-verify on otter" in found(without)
