"""Whatever stands at whatever place: sentences, never a traceback."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_tree import paths, put

from san.model import InventoryError, Secret, Site, Target


class Unprintable:
    def __repr__(self):
        raise RuntimeError


HOSTILE = [
    None, True, 0, -1, 2**64, 10**5000, 0.0, float("nan"), float("inf"), 1j, b"x", "", " ", "\n",
    "a\nb", "a::b", "a'b", 'a"b', "a\\b", "\0", "\x85", "\u2028", "ä", "\ud800", "٣", "x" * 100_000,
    "../..", "/", ".", "-", [], {}, (), (None,), ((),), ("a", "a"), {"a": 1}, {1: "a"}, {None: 0},
    set(), object(), object, Unprintable(), (Unprintable(),), {"a": Unprintable()}, len, Secret,
    Secret("A"), Secret(None), Secret(("A",)), Site, Target, "192.168.1.1/24", "::1/64", "0.0.0.0/0"
]  # fmt: skip

SLOW = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def told(*clusters):
    """The site's problems; anything but an InventoryError fails the test."""
    found = ()
    try:
        Site(clusters=clusters)
    except InventoryError as error:
        found = error.problems
    for problem in found:
        assert problem.path.startswith("clusters")
        assert problem.sentence
        assert "\n" not in str(problem)
        str(problem).encode()  # a terminal can print it
    return found


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_one_hostile_value_at_every_place(cluster, value):
    for path in paths(cluster):
        told(put(cluster, path, value))
    told(value)


anything = st.recursive(
    st.integers(0, len(HOSTILE) - 1).map(lambda index: HOSTILE[index])
    | st.text()
    | st.integers()
    | st.floats(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@SLOW
@given(data=st.data())
def test_several_hostile_values_at_once(cluster, data):
    places = st.lists(st.sampled_from(sorted(paths(cluster))), min_size=1, max_size=4)
    for path in sorted(data.draw(places), reverse=True):  # a part before what holds it
        cluster = put(cluster, path, data.draw(anything))
    told(cluster)


@SLOW
@given(data=st.data())
def test_parts_of_other_kinds_swap_places(cluster, data):
    places = sorted(paths(cluster))

    def at(path):
        part = cluster
        for step in path.replace("[", ".[").split("."):
            part = part[int(step[1:-1])] if step.startswith("[") else getattr(part, step)
        return part

    told(put(cluster, data.draw(st.sampled_from(places)), at(data.draw(st.sampled_from(places)))))


@SLOW
@given(text=st.text(alphabet=st.sampled_from("ab-.:_/+ \n\t'\"\\#;{}[]$`=é"), min_size=1))
def test_no_text_that_breaks_a_configuration_gets_through(cluster, text):
    for path in (
        "name",
        "nodes[0].name",
        "networks[0].interface",
        "resources[0].name",
        "resources[0].disk",
        "volume_groups[0].name",
        "volume_groups[0].volumes[0].name",
        "targets[0].name",
        "targets[0].alias",
        "targets[0].chap.user",
        "heartbeat.links[1].device",
        "clients[0].iqn",
    ):
        told_of = told(put(cluster, path, text))
        if set(text) & set(" \n\t'\"\\#;{}[]$`=é") - {"="} or "::" in text:
            assert any(f"clusters[0].{path}" == problem.path for problem in told_of)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_the_site_itself(value):
    with pytest.raises(InventoryError):
        Site(clusters=value)
    with pytest.raises(InventoryError):
        Site(clusters=(value,))


def test_a_sound_cluster_is_unchanged_by_being_checked(cluster):
    assert told(cluster) == ()
    assert attrs.evolve(cluster) == cluster
