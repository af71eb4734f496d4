"""Who could write, and when, from DRBD's words in two kernels' logs."""

import pytest

from san.drill import roles
from san.drill.clock import Timebase
from san.drill.journal import Record
from san.drill.roles import PRIMARY, SUSPENDED, Change
from san.drill.stage import FROZEN, OFF
from san.drill.timeline import Span
from san.lab.remote import Clock


def said(*lines, boot="b1"):
    return tuple(Record(at, "kernel", text, boot) for at, text in lines)


PROMOTES = "block drbd0: role( Secondary -> Primary ) "
DEMOTES = "block drbd0: role( Primary -> Secondary ) "
WAITS, GOES_ON = "drbd r0: susp( 0 -> 1 ) ", "drbd r0: susp( 1 -> 0 ) "


def test_changes_are_read_from_drbd_s_own_lines():
    lost = "drbd r0: peer( Primary -> Unknown ) conn( Connected -> NetworkFailure ) pdsk( UpToDate -> DUnknown )"  # noqa: E501
    records = (
        *said((1, PROMOTES), (2, lost), (3, WAITS)),
        Record(4, "somebody", PROMOTES, "b1"),
        *said((5, "audit: role( Secondary -> Primary )")),
    )
    assert roles.changes(records) == (
        Change(1, "b1", "role", "Secondary", "Primary"),
        Change(2, "b1", "conn", "Connected", "NetworkFailure"),
        Change(2, "b1", "pdsk", "UpToDate", "DUnknown"),
        Change(3, "b1", "susp", "0", "1"),
    )


def reigns(records, *, primary, outages=(), since=-10, until=100):
    return roles.reigns(records, "b1", primary=primary, since=since, until=until, outages=outages)


def test_the_node_that_serves_reigns_from_the_begin_without_a_word():
    assert reigns((), primary=True) == (Span(PRIMARY, -10, 100),)
    assert reigns((), primary=False) == ()


def test_a_reign_goes_on_whatever_else_changes():
    lost = "drbd r0: conn( Connected -> NetworkFailure ) "
    assert reigns(said((5, lost), (5.1, PROMOTES)), primary=True) == (Span(PRIMARY, -10, 100),)


def test_a_takeover_and_a_move_back():
    assert reigns(said((20, PROMOTES), (70, DEMOTES)), primary=False) == (Span(PRIMARY, 20, 70),)
    assert reigns(said((5, DEMOTES), (50, PROMOTES)), primary=True) == (
        Span(PRIMARY, -10, 5),
        Span(PRIMARY, 50, 100),
    )


def test_what_was_said_before_the_drill_is_in_its_beginning_already():
    assert reigns(said((-50, DEMOTES)), primary=True) == (Span(PRIMARY, -10, 100),)


def test_a_primary_whose_i_o_waits_can_t_write():
    assert reigns(said((5, WAITS), (12, GOES_ON)), primary=True) == (
        Span(PRIMARY, -10, 5),
        Span(SUSPENDED, 5, 12),
        Span(PRIMARY, 12, 100),
    )


def test_a_frozen_primary_can_t_write():
    assert reigns(said((65, DEMOTES)), primary=True, outages=(Span(FROZEN, 0, 60),)) == (
        Span(PRIMARY, -10, 0),
        Span(PRIMARY, 60, 65),
    )


def test_a_boot_ends_with_the_power_and_begins_as_secondary():
    told = (*said((-2, "something")), *said((60, "Linux version"), boot="b2"))
    cut = Span(OFF, 0, 40)
    assert reigns(told, primary=True, outages=(cut,)) == (Span(PRIMARY, -10, 0),)


def test_a_boot_that_ended_by_itself_ended_with_its_last_record():
    told = (*said((31, "Kernel panic")), *said((60, "Linux version"), (80, PROMOTES), boot="b2"))
    assert reigns(told, primary=True) == (Span(PRIMARY, -10, 31), Span(PRIMARY, 80, 100))


def test_an_outage_of_a_later_boot_is_not_the_end_of_an_earlier_one():
    """A node that panicked has started by itself before somebody presses reset."""
    panics = said((2, "the last that reached the disk"))
    told = (*panics, *said((43, "Linux"), boot="b2"), *said((99, "Linux"), boot="b3"))
    reset = Span(OFF, 95, 95.1)
    assert reigns(told, primary=True, outages=(reset,)) == (Span(PRIMARY, -10, 2),)


def test_a_journal_that_begins_with_the_second_boot_says_nothing_of_the_first():
    told = said((60, "Linux version"), boot="b2")
    assert reigns(told, primary=True, outages=(Span(OFF, 0, 40),)) == (Span(PRIMARY, -10, 0),)


@pytest.mark.parametrize(
    ("weasel", "otter", "most"),
    [
        ([Span(PRIMARY, -10, 5)], [Span(PRIMARY, 20, 100)], 1),
        ([Span(PRIMARY, -10, 60)], [Span(PRIMARY, 20, 100)], 2),
        ([Span(PRIMARY, -10, 20.2)], [Span(PRIMARY, 20, 100)], 1),
        ([Span(PRIMARY, -10, 20.3)], [Span(PRIMARY, 20, 100)], 2),
        ([Span(PRIMARY, -10, 5), Span(SUSPENDED, 5, 60)], [Span(PRIMARY, 20, 100)], 1),
        ([], [], 0),
    ],
)
def test_writers_at_once(weasel, otter, most):
    assert roles.writers_at_once({"weasel": weasel, "otter": otter}) == most


def clock(boot, booted):
    return Clock(offset_ms=0, uncertainty_ms=1, boot=boot, booted=booted)


def test_a_machine_that_stood_still_logs_later_than_it_counts():
    base = Timebase.of(clock("b1", 1000), clock("b1", 1060), [(1100, 1160)])
    assert base.ours("b1", 99, 0) == 1099
    assert base.ours("b1", 101, 0) == 1161


def test_each_boot_has_its_own_begin():
    base = Timebase.of(clock("b1", 1000), clock("b2", 1200), [(1100, 1110)])
    assert base.ours("b1", 50, 0) == 1050
    assert base.ours("b2", 50, 0) == 1250
    assert base.ours("b3", 50, 1300) == 1300, "nobody read it: its wall clock must do"
