"""While nobody serves, nobody is promoted whose data may be the older."""

import pytest
from states import NEW, device, drbd

from san.decide.promotion import apart, forbids, unsure
from san.observe.drbd_generations import Generation

A, B = "A" * 15 + "0", "B" * 15 + "0"
OLDER, NEWER = Generation(A, "0" * 16, ()), Generation(B, A, ())
APART = {"connection": "WFConnection", "peer": "Unknown", "peer_disk": "DUnknown"}


def nodes(weasel, otter, generations=(None, None)):
    return {
        name: drbd(own, generation=generation)
        for name, own, generation in zip(
            ("weasel", "otter"), (weasel, otter), generations, strict=True
        )
    }


def test_both_have_the_newest_data(cluster):
    assert unsure(cluster, nodes(device(), device())) is None


@pytest.mark.parametrize(
    ("weasel", "otter", "generations", "says"),
    [
        (None, device(), (None, None), "r0 isn't configured on weasel"),
        (device(**APART), device(**APART), (OLDER, NEWER), "otter has the newer data"),
        (device(**APART), device(**APART), (NEWER, OLDER), "weasel has the newer data"),
        (device(**APART), device(**APART), (OLDER, OLDER), "whose data is newer isn't known"),
        (device(), device(disk="Inconsistent"), (None, None), "r0 on otter is Connected, Incon"),
    ],
)
def test_it_is_not_known_that_both_have_it(cluster, weasel, otter, generations, says):
    assert says in unsure(cluster, nodes(weasel, otter, generations))


@pytest.mark.parametrize(
    ("named", "states", "says"),
    [
        ("otter", nodes(device(**APART), device(**APART), (OLDER, NEWER)), None),
        ("weasel", nodes(device(**APART), device(**APART), (OLDER, OLDER)), None),
        (
            "weasel",
            nodes(device(**APART), device(**APART), (OLDER, NEWER)),
            "write data_from=otter",
        ),
        ("badger", nodes(device(), device()), "write weasel or otter"),
        ("otter", nodes(device(), device(disk="Inconsistent")), "is Inconsistent on otter"),
        ("otter", nodes(device(), device(**APART, disk="Outdated")), "Outdated on otter"),
        ("otter", nodes(device(), None, (None, NEW)), "r0 is not configured on otter"),
    ],
)
def test_a_side_that_was_named(cluster, named, states, says):
    said = forbids(cluster, named, states)
    assert (said is None) if says is None else (says in said)


@pytest.mark.parametrize(
    ("own", "older"),
    [
        (device(**APART), True),
        (device(**{**APART, "connection": "StandAlone"}), True),
        (device(disk="Consistent", **APART), True),
        (device(), False),
        (device(disk="Inconsistent", connection="SyncTarget"), False),
        (device(disk="Outdated", **APART), False),  # DRBD itself promotes none of these
        (device(disk="Inconsistent", **APART), False),
        (None, False),
    ],
)
def test_a_node_that_could_be_promoted_with_older_data(cluster, own, older):
    said = apart(cluster, "weasel", drbd(own))
    assert bool(said) == older
    assert not older or "its data may be older than what the peer serves" in said
