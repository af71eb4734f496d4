"""The matrix: what it holds, how an outcome is judged, and what people and programs read of it."""

import json
from html.parser import HTMLParser

import attrs
import pytest
from click.testing import CliRunner
from ended import RUNS, SERVES, STANDS_BY, WHOLE, node

from san.decide import budget
from san.drill import campaign, fault, matrix, outcome, state
from san.drill.commands import drill
from san.drill.errors import DrillRefusedError
from san.drill.fault import Expectation
from san.drill.journal import Record
from san.drill.results import Drill, Matrix
from san.drill.roles import PRIMARY
from san.drill.timeline import Span


def test_a_node_is_told_in_words():
    assert SERVES.sentence == "otter serves (Connected Primary UpToDate/UpToDate)"
    waits = node("otter", "Primary", 2, "WFConnection", "UpToDate/DUnknown", flow="s", heartbeat="")
    assert waits.sentence == (
        "otter serves without Heartbeat (WFConnection Primary UpToDate/DUnknown, I/O suspended)"
    )
    assert state.NodeState("otter").sentence == "otter doesn't answer"


@pytest.mark.parametrize(
    ("after", "advice"),
    [
        (WHOLE, ""),
        (
            (state.NodeState("weasel"), SERVES),
            "see why weasel doesn't answer",
        ),
        (
            (
                node("weasel", "Primary", 2, "StandAlone", "UpToDate/DUnknown"),
                node("otter", "Secondary", 0, "StandAlone", "UpToDate/DUnknown"),
            ),
            "decide whose data is right, and connect DRBD again",
        ),
        (
            (STANDS_BY, node("otter", "Primary", 0)),
            "start the resources: nobody serves",
        ),
        (
            (node("weasel", "Primary", 2), SERVES),
            "end one of both: two nodes serve",
        ),
        (
            (node("weasel", "Secondary", heartbeat=""), SERVES),
            "start Heartbeat on weasel",
        ),
        (
            (
                node("weasel", "Secondary", 0, "Connected", "UpToDate/Diskless"),
                node("otter", "Primary", 2, "Connected", "Diskless/UpToDate"),
            ),
            "replace the disk of otter and attach it",
        ),
        (
            (node("weasel", "Secondary", 0, "SyncTarget", "Inconsistent/UpToDate"), SERVES),
            "wait, or look why the pair isn't whole yet",
        ),
        (
            (state.parse("weasel", f"heartbeat: {RUNS}\nholds: none\nportals: 0\n"), SERVES),
            "bring DRBD up on weasel",
        ),
    ],
)
def test_what_a_person_has_to_do(after, advice):
    assert state.advice(after) == advice
    assert state.whole(after) == (not advice)


def test_a_node_that_stands_alone_is_read():
    """As DRBD 8.4 prints it: without a protocol."""
    alone = " 0: cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----\n"
    replica = state.parse("weasel", alone).replica
    assert (replica.connection, replica.role, replica.flow) == ("StandAlone", "Primary", "r")


def test_the_end_names_who_serves():
    either, standby, serving = (
        Expectation(gap=60, serves=who) for who in ("either", "standby", "serving")
    )
    for expected, well in ((either, True), (standby, True), (serving, False)):
        assert outcome.ended_well(WHOLE, expected, "weasel", "otter") == well


def test_where_only_a_person_can_one_that_serves_is_enough():
    diskless = (STANDS_BY, node("otter", "Primary", 2, "Connected", "Diskless/UpToDate"))
    alone = Expectation(gap=60, person="replace the disk")
    assert not outcome.ended_well(diskless, Expectation(gap=60), "weasel", "otter")
    assert outcome.ended_well(diskless, alone, "weasel", "otter")
    assert not outcome.ended_well((STANDS_BY, STANDS_BY), alone, "weasel", "otter")


def test_the_longest_wait_may_be_the_last_one():
    found = outcome.waits([-30, -1, 2, 3, 20], until=25)
    assert [(wait.start, wait.end) for wait in found] == [(3, 20), (20, 25), (-1, 2)]
    assert outcome.waits([-3, -2], until=170)[0] == Span("wait", -2, 170)
    assert outcome.waits([], until=10) == ()


def test_a_forbidden_line_is_told_once_with_its_host_and_second():
    node_says = "block drbd0: Split-Brain detected but unresolved, dropping connection!"
    client_says = "Buffer I/O error on dev dm-0, logical block 7, async page read"
    records = {
        "otter": (Record(61, "kernel", node_says), Record(62, "kernel", node_says)),
        "badger": (Record(63, "kernel", client_says), Record(64, "kernel", node_says)),
    }
    assert outcome.forbidden(records, "badger", fault.NODE_NEVER) == (
        f"otter at 61.0 s: {node_says}",
        f"badger at 63.0 s: {client_says}",
    )
    # a path's error is what multipath is there for
    path = {"badger": (Record(1, "kernel", "I/O error, dev sda, sector 8"),)}
    assert outcome.forbidden(path, "badger", ()) == ()


def test_a_fault_that_was_stood(survived):
    assert survived.problems == ()
    assert survived.gap == 22.5
    assert survived.pauses == (Span("wait", 22, 24.5),)
    told = survived.to_json()
    assert told["passed"]
    assert (told["acked"], told["lost"], told["corrupted"], told["writers_at_once"]) == (
        (1499, 0, 0, 1)
    )
    assert told["primary"]["otter"] == [{"what": "Primary", "from": 15, "to": 25}]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"verification": {"checked": 9, "lost": 3, "corrupt": 1}},
            "3 of 1,499 acknowledged writes are lost",
        ),
        ({"verification": None}, "nobody can read what was acknowledged"),
        (
            {"reigns": {"weasel": (Span(PRIMARY, 0, 9),), "otter": (Span(PRIMARY, 5, 12),)}},
            "2 nodes could write at one moment",
        ),
        ({"expected": Expectation(gap=20)}, "the client waited 22.5 s (limit 20)"),
        ({"errors": 2}, "2 writes were answered with an error"),
        (
            {"after": (state.NodeState("weasel"), SERVES)},
            "240 s after the last step: see why weasel doesn't answer",
        ),
        (
            {"expected": Expectation(gap=60, serves="serving")},
            "240 s after the last step: whole; otter serves",
        ),
        ({"forbidden": ("otter at 1.0 s: Oops:",)}, "must never be logged: otter at 1.0 s: Oops:"),
    ],
)
def test_each_thing_that_must_not_be_is_a_problem_of_its_own(survived, change, problem):
    assert attrs.evolve(survived, **change).problems == (problem,)


class Text(HTMLParser):
    """The words of a page, and what it would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.words, self.loads = [], []

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 (its signature)
        self.loads += [value for name, value in attrs if name in {"src", "href"}]


def drilled(seen, depth=1, **more):
    told = {
        "fault": "power-cut", "title": "Power cut <&>", "fenced": False, "origin": "4f1d0a2b66c1",
        "played": "2026-11-28T18:00:00+00:00", "seconds": 180.0,
    }  # fmt: skip
    return Drill(depth=depth, outcome=seen, **{**told, **more})


def test_the_matrix_for_people_and_for_programs(survived, tmp_path):
    lost = attrs.evolve(survived, verification={"checked": 9, "lost": 3, "corrupt": 1})
    played = Matrix(
        (
            drilled(survived, predicted=24.1),
            drilled(lost, 16),
            drilled(None, 16, fault="reset", error="broke"),
        )
    )
    campaign.save(played, tmp_path)

    told = json.loads((tmp_path / "matrix.json").read_text())
    assert told["totals"] == {
        "drills": 3, "failed": 2, "acked": 2998, "lost": 3, "corrupted": 1, "off_budget": 0,
    }  # fmt: skip
    assert [each["passed"] for each in told["drills"]] == [True, False, False]
    assert [each["predicted_gap_seconds"] for each in told["drills"]] == [24.1, None, None]
    assert [each["measured_by_predicted"] for each in told["drills"]] == [0.93, None, None]
    assert {(each["played"], each["origin"]) for each in told["drills"]} == {
        ("2026-11-28T18:00:00+00:00", "4f1d0a2b66c1")
    }
    page = Text()
    page.feed((tmp_path / "matrix.html").read_text())
    words = " ".join(page.words)
    assert page.loads == []
    assert "1 of 3 drills passed; 3 of 2,998 acknowledged writes lost, 1 corrupted" in words
    assert "Power cut <&>, depth 16" in words
    assert "broke" in words
    assert played.markdown().count("\n") == 5
    assert "| power-cut | 1 | 22.5 (60) | 24.1 | 0.93 | 1,499 | 0 | 0 | 1 |" in played.markdown()
    assert "| 2026-11-28 18:00 | 4f1d0a2b66c1 |" in played.markdown()


class TestBudget:
    """A prediction that is a quarter off is the budget's problem, and not the cluster's."""

    @pytest.mark.parametrize(
        ("predicted", "off"), [(18.0, False), (17.9, True), (30.0, False), (30.1, True)]
    )
    def test_a_power_cut_is_held_against_it(self, survived, predicted, off):
        one = drilled(survived, predicted=predicted)
        assert bool(one.off_budget) == off
        assert one.passed
        assert one.to_json()["off_budget"] == one.off_budget

    def test_it_is_said_everywhere(self, survived, tmp_path):
        played = Matrix((drilled(survived, predicted=50.0),))
        campaign.save(played, tmp_path)
        sentence = (
            "the budget is off: predicted 50.0 s, measured 22.5 s, 0.45 of it, outside 0.75 to 1.25"
        )
        assert sentence in (tmp_path / "matrix.html").read_text()
        assert played.to_json()["totals"]["off_budget"] == 1
        assert "| 50.0 | 0.45, off |" in played.markdown()

    def test_other_faults_are_told_beside_it_only(self, survived):
        one = drilled(survived, fault="target-killed", predicted=6.0)
        assert one.budget.ratio == 3.75
        assert one.off_budget == ""


def test_every_fault_is_named_once_and_its_steps_are_in_order():
    for name, row in matrix.FAULTS.items():
        assert row.name == name
        assert row.steps
        times = [step.at for step in row.steps]
        assert times == sorted(times), name
        assert any(at >= 0 for at in times), name
    assert set(matrix.CORE) <= set(matrix.FAULTS)


def test_with_stonith_what_it_resets_is_taken_over_and_no_deploy_takes_it_away():
    differ = {name for name, row in matrix.FAULTS.items() if row.stonith or row.fenced is not None}
    assert {"power-cut", "frozen-20", "all-links", "bmc-lies"} <= differ
    assert matrix.FAULTS["frozen-20"].wanted(fenced=True).serves == "standby"
    assert matrix.FAULTS["frozen-20"].wanted(fenced=False).serves == "either"
    assert not [name for name in differ if name.endswith("-in-deploy")]


def test_whatever_the_budget_predicts_is_played():
    played = {row.budget or row.name for row in matrix.FAULTS.values()}
    assert set(budget.FAULTS) <= played


def test_a_pattern_that_matches_nothing_is_refused():
    assert [row.name for row in matrix.chosen("frozen-*0")] == [
        "frozen-20",
        "frozen-60",
        "frozen-180",
    ]
    with pytest.raises(DrillRefusedError, match="no fault matches 'nonsense'"):
        matrix.chosen("nonsense")


def test_faults_are_listed_without_a_lab():
    told = json.loads(CliRunner().invoke(drill, ["list", "--json"]).stdout)
    assert {each["name"] for each in told} == set(matrix.FAULTS)
    assert "power-cut-both-standby-first" in CliRunner().invoke(drill, ["list"]).stdout
