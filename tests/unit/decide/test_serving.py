"""Who serves is what DRBD says, of both nodes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import device, drbd

from san.decide.refusal import Refusal
from san.decide.serving import has_turn, serving


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


@pytest.mark.parametrize("role", ["Primary", "Secondary"])
def test_a_split_brain_is_refused(cluster, role):
    apart = device(role, "Unknown", connection="StandAlone", split_brain=True)
    with pytest.raises(Refusal, match="r0 is StandAlone on otter after a split brain"):
        serving(cluster, pair(device("Primary"), apart))


def test_standing_alone_without_a_split_brain_is_none(cluster):
    """As after `drbdadm disconnect`."""
    apart = device("Secondary", "Unknown", connection="StandAlone")
    assert serving(cluster, pair(device("Primary"), apart)) == "weasel"


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
    split_brain=st.booleans(),
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
