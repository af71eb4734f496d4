"""How two nodes' data compare: DRBD's own rules, on pairs that come about in a cluster's life."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.decide.generations import MIRRORED, compare
from san.observe.drbd_generations import JUST_CREATED, Generation, parse_generations

ZERO = "0" * 16
A, B, C, D = (letter * 15 + "0" for letter in "ABCD")
SOUND = ("consistent", "was-up-to-date")


def gi(line):
    """Of a line that get-gi prints."""
    return parse_generations(["generation r0", line])["r0"]


def generation(current, bitmap=ZERO, *history, flags=SOUND):
    return Generation(current, bitmap, history or (ZERO, ZERO), flags)


NEW = generation(JUST_CREATED, flags=())

PAIRS = {
    "two that are new": (NEW, NEW, "same"),
    "a new disk, and data": (NEW, generation(A), "older"),
    "no identifier yet, and data": (generation(ZERO), generation(A), "older"),
    "equal": (generation(A), generation(A), "same"),
    "equal; the lowest bit says who is Primary": (
        gi("D5CA4B1DD2A0B4CF:0000000000000000:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:1:1:0:0:0"),
        gi("D5CA4B1DD2A0B4CE:0000000000000000:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:0:1:0:0:0"),
        "same",
    ),
    "the serving node lost its power, and its peer went on": (
        gi("D5CA4B1DD2A0B4CE:0000000000000000:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:0:1:0:0:1"),
        gi("0E9A7754D21C3B4F:D5CA4B1DD2A0B4CE:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:1:0:0:0:0"),
        "older",
    ),
    "the standby lost its power": (generation(B, A), generation(A), "newer"),
    "it missed two partings": (generation(C, B, A, ZERO), generation(A), "newer"),
    "both lost their power: who was Primary has what was in flight": (
        generation(A, flags=(*SOUND, "crashed-primary")),
        generation(A),
        "newer",
    ),
    "the same, each having been Primary once": (
        generation(A, flags=(*SOUND, "crashed-primary")),
        generation(A, flags=(*SOUND, "crashed-primary")),
        "same",
    ),
    "the same, and the other side is Primary now": (
        generation(A, flags=(*SOUND, "crashed-primary")),
        generation(A, flags=(*SOUND, "primary")),
        "older",
    ),
    "one that went down, and both are Primary now": (
        generation(A, flags=(*SOUND, "primary", "crashed-primary")),
        generation(A, flags=(*SOUND, "primary")),
        "split",
    ),
    "both moved on": (generation(B, A), generation(C, A), "split"),
    "both moved on, as get-gi prints it": (
        gi("7F11AA23C4D5E6F1:D5CA4B1DD2A0B4CE:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:1:0:0:0:0"),
        gi("0E9A7754D21C3B4F:D5CA4B1DD2A0B4CF:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA:1:1:0:0:0:0:0"),
        "split",
    ),
    "both moved on, as DRBD 8.4.11 printed it in the lab": (
        gi("E9A888714DE6E9C9:0AB73D711AEE3DA7:0000000000000000:0000000000000000:1:1:1:0:0:0:0"),
        gi("C5556762EF214A7D:0AB73D711AEE3DA6:0000000000000000:0000000000000000:1:1:1:0:0:0:0"),
        "split",
    ),
    "both moved on, twice": (
        generation(B, D, A, ZERO),
        generation(C, "1" * 15 + "0", A, ZERO),
        "split",
    ),
    "both moved on, one in the middle of an earlier resync": (
        generation(B, D, A, ZERO),
        generation(C, A),
        "split",
    ),
    "discarding: the victim follows": (
        generation(B, D, A, ZERO),
        generation(D, ZERO, A, ZERO, flags=()),
        "newer",
    ),
    "discarded": (generation(B, ZERO, D, A), generation(B, ZERO, D, A), "same"),
    "the source missed the end of the resync": (
        generation(B, D, A, ZERO),
        generation(B, ZERO, D, A),
        "newer",
    ),
    "identifiers that parted, but one side is the middle of a resync": (
        generation(B, A),
        generation(C, A, flags=()),
        "newer",
    ),
    "what it is isn't known": (generation(B, A, flags=None), generation(C, A, flags=()), "split"),
    "two clusters' disks": (generation(A), generation(B), "unrelated"),
    "two clusters' disks, one broken": (generation(A), generation(B, flags=()), "unrelated"),
}


@pytest.mark.parametrize(("own", "its", "expected"), PAIRS.values(), ids=PAIRS)
def test_pairs(own, its, expected):
    assert compare(own, its) == expected
    assert compare(its, own) == MIRRORED[expected]


@attrs.define
class Side:
    """A node's generation, and which changes it really has."""

    generation: Generation
    has: set

    def changes(self, number):
        """The first change without the peer is a new generation; the later ones are part of it."""
        own = self.generation
        self.has.add(number)
        if own.bitmap == ZERO:
            self.generation = attrs.evolve(own, current=f"F{number:014X}0", bitmap=own.current)

    def follows(self, source):
        """A whole resync: afterwards both have the source's data, and its past."""
        past = source.generation
        history = (past.bitmap, *past.history)[:2]
        source.generation = attrs.evolve(past, bitmap=ZERO, history=history)
        self.generation, self.has = source.generation, set(source.has)


def truth(own, its):
    if own.has == its.has:
        return "same"
    if own.has > its.has:
        return "newer"
    return "older" if own.has < its.has else "split"


@given(st.lists(st.sampled_from(["one", "two", "meet", "discard one", "discard two"]), max_size=30))
def test_a_life_of_partings_is_seen_as_it_was(events):
    """Whatever happened, the identifiers tell what each side really has."""
    one, two = (Side(generation(A), set()) for _ in range(2))
    for number, event in enumerate(events):
        if event in {"one", "two"}:
            (one if event == "one" else two).changes(number)
        relation = compare(one.generation, two.generation)
        assert relation == truth(one, two)
        if event == "meet" and relation in {"newer", "older"}:
            source, target = (one, two) if relation == "newer" else (two, one)
            target.follows(source)
        elif event.startswith("discard") and relation == "split":
            source, target = (two, one) if event == "discard one" else (one, two)
            target.follows(source)


identifiers = st.sampled_from([A, B, C, D, ZERO, JUST_CREATED, A[:-1] + "1"])
flags = st.none() | st.lists(
    st.sampled_from([*SOUND, "primary", "crashed-primary"]), unique=True
).map(tuple)
generations = st.builds(
    Generation,
    st.sampled_from([A, B, A[:-1] + "1", JUST_CREATED]),
    identifiers,
    st.tuples(identifiers, identifiers),
    flags,
)


@given(generations, generations)
def test_any_pair_has_an_answer(own, its):
    assert compare(own, its) in MIRRORED


@given(generations)
def test_a_node_is_as_its_twin(own):
    assert compare(own, own) in {"same", "split"}
    if "primary" not in (own.flags or ()):
        assert compare(own, own) == "same"
