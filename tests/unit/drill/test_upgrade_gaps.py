"""The client's waits, by move of the service."""

from san.drill.upgrade import MOVES, gaps

OVER, BACK = MOVES
STARTS = [
    ("The standby boots it", 0.0),
    (OVER, 100.0),
    ("The other node boots it", 130.0),
    (BACK, 300.0),
]


def test_each_move_has_its_own_longest_wait():
    ends = [*range(101), 125, *range(126, 310), 331.5, *range(332, 350)]

    assert gaps(ends, STARTS, 340.0) == {OVER: 25, BACK: 22.5}


def test_a_wait_that_goes_on_after_the_operation_counts_whole():
    ends = [*range(111), 140, 141]

    assert gaps(ends, STARTS, 340.0)[OVER] == 30


def test_a_wait_elsewhere_is_no_moves():
    ends = [0, 50, *range(51, 340)]

    assert gaps(ends, STARTS, 340.0) == {OVER: 1, BACK: 1}


def test_an_upgrade_that_moves_nothing_has_no_gaps():
    assert gaps([0, 1, 2], [("Every module is there", 0.0)], 3.0) == {}
