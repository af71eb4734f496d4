"""Who serves is what DRBD says, of both nodes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import NEW, device, drbd

from san.decide.refusal import Refusal
from san.decide.serving import has_turn, serving
from san.observe.drbd_claims import Claim, Claims
from san.observe.drbd_generations import Generation

A, B, C = (letter * 15 + "0" for letter in "ABC")


def pair(weasel, otter):
    return {
        name: drbd(own) for name, own in (("weasel", weasel), ("otter", otter)) if own != "away"
    }


def test_nobody_serves_on_bare_nodes(cluster):
    assert serving(cluster, pair(None, None)) is None


def test_nobody_serves_while_both_are_secondary(cluster):
    assert serving(cluster, pair(device(), device())) is None


def test_the_primary_serves_whatever_the_inventory_prefers(cluster):
    assert serving(cluster, pair(device("Primary"), device(peer="Primary"))) == "weasel"
    assert serving(cluster, pair(device(peer="Primary"), device("Primary"))) == "otter"


def test_two_primaries_are_refused(cluster):
    both = pair(device("Primary", connection="WFConnection"), device("Primary"))
    with pytest.raises(Refusal, match=r"both nodes are Primary \(r0 on weasel; r0 on otter\)"):
        serving(cluster, both)


SPLIT = (Generation(B, A, ()), Generation(C, A, ()))


def parted(weasel, otter, generations=SPLIT, **parts):
    """Both nodes apart: role and connection of each."""
    return {
        name: drbd(device(*at, "Unknown", **known, **parts), generation=generation)
        for name, (*at, known), generation in zip(
            ("weasel", "otter"), (weasel, otter), generations, strict=True
        )
    }


@pytest.mark.parametrize("connection", ["StandAlone", "WFConnection"])
@pytest.mark.parametrize("role", ["Primary", "Secondary"])
def test_a_split_brain_is_refused(cluster, role, connection):
    """By the identifiers of both, whatever a log says, and before the nodes meet again."""
    states = parted(
        ("Primary", {"connection": "WFConnection", "out_of_sync": 24}),
        (role, {"connection": connection, "out_of_sync": 8}),
    )
    sentence = r"r0 has a split brain: weasel \(24 KiB changed\) and otter \(8 KiB changed\) both"
    with pytest.raises(Refusal, match=sentence):
        serving(cluster, states)


def test_a_split_brain_of_a_node_without_its_disk_is_refused(cluster):
    states = parted(
        ("Primary", {"connection": "WFConnection"}),
        ("Secondary", {"connection": "StandAlone", "disk": "Diskless"}),
    )
    with pytest.raises(Refusal, match=r"otter \(no disk\)"):
        serving(cluster, states)


def test_unrelated_data_is_refused(cluster):
    apart = {"connection": "StandAlone"}
    generations = (Generation(A, "0" * 16, ()), Generation(B, "0" * 16, ()))
    with pytest.raises(Refusal, match="r0 holds unrelated data on weasel and otter"):
        serving(cluster, parted(("Primary", apart), ("Secondary", apart), generations))


@pytest.mark.parametrize("alone", ["StandAlone", "WFConnection"])
def test_a_primary_with_older_data_is_refused(cluster, alone):
    """A node that was frozen, resumed after its peer had served and stopped again."""
    apart = {"connection": alone}
    generations = (Generation(A, "0" * 16, ()), Generation(B, A, ()))
    with pytest.raises(Refusal, match="r0 is Primary on weasel, and otter has newer data"):
        serving(cluster, parted(("Primary", apart), ("Secondary", apart), generations))
    for role, serves in (("Primary", "otter"), ("Secondary", None)):
        assert serving(cluster, parted(("Secondary", apart), (role, apart), generations)) == serves


def test_a_node_that_has_just_booted_is_not_split(cluster):
    """Its peer took over and waits for it, and hasn't met it yet."""
    waits = {"connection": "WFConnection"}
    generations = (Generation(A, "0" * 16, ()), Generation(B, A, ()))
    states = parted(("Secondary", waits), ("Primary", waits), generations)
    assert serving(cluster, states) == "otter"


def test_standing_alone_without_a_split_brain_is_none(cluster):
    """As after `drbdadm disconnect`: adjust connects it."""
    apart = {"connection": "StandAlone"}
    generations = (Generation(B, A, ()), Generation(A, "0" * 16, ()))
    states = parted(("Primary", {"connection": "WFConnection"}), ("Secondary", apart), generations)
    assert serving(cluster, states) == "weasel"


@pytest.mark.parametrize(("generation", "said"), [(B, True), (NEW, False), (None, False)])
def test_standing_alone_without_the_peer_is_not_known(cluster, generation, said):
    """But for a disk that has seen no data, and a device that has no disk yet."""
    apart = device("Primary", "Unknown", connection="StandAlone")
    states = {"weasel": drbd(apart, generation=generation)}
    if not said:
        assert serving(cluster, states) == "weasel"
        return
    with pytest.raises(Refusal, match="r0 is StandAlone on weasel, and without otter"):
        serving(cluster, states)


def test_a_peer_that_this_run_cannot_see_serves_by_the_others_word(cluster):
    assert serving(cluster, pair("away", device(peer="Primary"))) == "weasel"


def test_a_peer_that_nobody_sees_serves_nothing_that_is_known(cluster):
    lonely = device("Secondary", "Unknown", connection="WFConnection")
    assert serving(cluster, pair("away", lonely)) is None


@pytest.mark.parametrize(
    ("serves", "standby_turn", "serving_turn"),
    [
        (None, {"weasel", "otter"}, set()),
        ("weasel", {"otter"}, {"weasel"}),
        ("otter", {"weasel"}, {"otter"}),
    ],
)
def test_turns(serves, standby_turn, serving_turn):
    nodes = ("weasel", "otter")
    assert {node for node in nodes if has_turn(node, serves, "standby")} == standby_turn
    assert {node for node in nodes if has_turn(node, serves, "serving")} == serving_turn


devices = st.none() | st.builds(
    device,
    st.sampled_from(["Primary", "Secondary"]),
    st.sampled_from(["Primary", "Secondary", "Unknown"]),
    connection=st.sampled_from(["Connected", "WFConnection", "StandAlone"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(weasel=devices | st.just("away"), otter=devices | st.just("away"))
def test_every_pair_has_one_answer_or_a_refusal(cluster, weasel, otter):
    """Nobody else than a Primary serves; and each node has exactly one turn."""
    states = pair(weasel, otter)
    try:
        serves = serving(cluster, states)
    except Refusal:
        return
    primaries = {name for name, each in states.items() if each.devices and is_primary(each)}
    assert primaries <= {serves}
    for node in ("weasel", "otter"):
        assert has_turn(node, serves, "standby") != has_turn(node, serves, "serving")


def is_primary(state):
    return state.devices[0].role == "Primary"


def test_what_another_resource_is_on_our_minor_says_nothing_of_ours(cluster):
    """It may be Primary, and look as if that node served."""
    theirs = drbd(device("Primary"), claims=Claims(running=(Claim("other", None, 0),)))
    for states in ({"otter": theirs}, {"weasel": drbd(), "otter": theirs}):
        with pytest.raises(
            Refusal, match="/dev/drbd0 is the DRBD resource 'other' on otter, not r0"
        ):
            serving(cluster, states)


def test_ours_under_another_minor_is_not_taken_for_absent(cluster):
    """It may serve, and adjust would take its disk away for the minor of the inventory."""
    ours = drbd(claims=Claims(running=(Claim("r0", None, 5),)))
    with pytest.raises(Refusal, match=r"r0 has /dev/drbd5 on otter.*write minor=5"):
        serving(cluster, {"weasel": drbd(), "otter": ours})
