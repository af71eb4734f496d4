"""Rounds, their medians, and ours held against others'."""

import json

import pytest

from san.contest import AIMS, BY_HAND, COUNTS, FIGURES, OURS, PACEMAKER, Aim, Contestant, ratio


def a_round(seconds, **others):
    """A round whose figures are all alike."""
    return {**dict.fromkeys(FIGURES, seconds), **dict.fromkeys(COUNTS, 0), "load": 0.1, **others}


MEASURED = Contestant(
    "deployed-0badcafe",
    {"accel": "tcg"},
    (a_round(9.0, acked=100), a_round(30.0, acked=50, lost=1), a_round(10.0, acked=70)),
    ("no write of badger was acknowledged for 180 s",),
)


def test_a_median_is_the_middle_round_and_counts_are_sums():
    assert MEASURED.medians == dict.fromkeys(FIGURES, 10.0)
    assert (MEASURED.total("acked"), MEASURED.total("lost")) == (220, 1)


def test_before_the_first_round_there_are_no_medians():
    assert Contestant("deployed-0badcafe", {}).medians == {}


def test_what_is_kept_is_read_back_the_same():
    assert Contestant.parse(json.loads(json.dumps(MEASURED.to_json()))) == MEASURED


def test_medians_stand_beside_the_single_rounds():
    kept = MEASURED.to_json()

    assert kept["gap_seconds"] == 10.0
    assert [each["gap_seconds"] for each in kept["rounds"]] == [9.0, 30.0, 10.0]


@pytest.mark.parametrize(
    "other",
    [Contestant("deployed-12345678", {"accel": "tcg"}), Contestant("deployed-0badcafe", {})],
)
def test_rounds_of_another_cluster_or_machine_do_not_count(other):
    assert MEASURED.same(Contestant("deployed-0badcafe", {"accel": "tcg"}))
    assert not MEASURED.same(other)


def test_a_ratio_is_ours_as_a_part_of_theirs():
    assert ratio(10, 40) == 0.25
    assert ratio(10, None) is None
    assert ratio(None, 40) is None
    assert ratio(10, 0) is None


def test_an_aim_is_held_against_another_or_stands_for_itself():
    figures = {OURS: {"gap_seconds": 10.0}, BY_HAND: {"gap_seconds": 40.0}, PACEMAKER: {}}

    assert Aim("gap_seconds", 0.4, BY_HAND).value(figures) == 0.25
    assert Aim("gap_seconds", 0.4, PACEMAKER).value(figures) is None
    assert Aim("gap_seconds", 15.0).value(figures) == 10.0
    assert [aim.value({}) for aim in AIMS] == [None] * len(AIMS)
