"""The matrix: what it holds, how an outcome is judged, and what people and programs read of it."""

import json
from html.parser import HTMLParser

import attrs
import pytest
from click.testing import CliRunner

from san.decide import budget
from san.drill import campaign, fault, matrix, outcome, state
from san.drill.campaign import Drill, Matrix
from san.drill.commands import drill
from san.drill.errors import DrillRefusedError
from san.drill.fault import Expectation
from san.drill.journal import Record
from san.drill.outcome import Outcome
from san.drill.roles import PRIMARY
from san.drill.stage import OFF
from san.drill.timeline import Span

LOOKED = """\
version: 8.4.11 (api:1/proto:86-101)

 0: cs:{connection} ro:{role}/Unknown ds:{disk} C {flow}-----
    ns:540 nr:8 dw:548 dr:2217 al:6 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
heartbeat: {heartbeat}
holds: all
portals: {portals}
"""
RUNS = "Heartbeat is running on machine otter"


def node(name, role, portals=0, connection="Connected", disk="UpToDate/UpToDate", **other):
    told = {"heartbeat": RUNS, "flow": "r"} | other
    text = LOOKED.format(role=role, portals=portals, connection=connection, disk=disk, **told)
    return state.parse(name, text)


STANDS_BY = node("weasel", "Secondary")
SERVES = node("otter", "Primary", 2)
WHOLE = (STANDS_BY, SERVES)


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
    assert [(wait.start, wait.end) for wait in found] == [(3, 20), (20, 25), (-1, 2), (2, 3)]
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


@pytest.fixture
def survived():
    return Outcome(
        fault="power-cut",
        title="Power cut <&>",
        depth=16,
        fenced=False,
        serving="weasel",
        standby="otter",
        client="badger",
        accel="tcg",
        suite="bookworm",
        started="2026-11-28T18:00:00+00:00",
        seconds=140.0,
        expected=Expectation(gap=60, serves="standby"),
        steps=((0.0, "power of the serving node cut"), (20.0, "power of the serving node back")),
        waits=outcome.waits([-2, -1, 21.5, 22, 24.5], until=25),
        acked=1499,
        errors=0,
        verification={"checked": 1499, "lost": 0, "corrupt": 0},
        reigns={"weasel": (Span(PRIMARY, -10, 0),), "otter": (Span(PRIMARY, 15, 25),)},
        outages={"weasel": (Span(OFF, 0, 20),), "otter": ()},
        after=WHOLE,
        forbidden=(),
        events=(),
        rate=((-1.0, 4.0), (-0.5, 2.0), (21.5, 6.0)),
        notes=("the deploy beside it ended with 1",),
        clock_uncertainty=0.004,
        failover=None,
    )


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


def test_the_matrix_for_people_and_for_programs(survived, tmp_path):
    lost = attrs.evolve(survived, verification={"checked": 9, "lost": 3, "corrupt": 1})
    row = matrix.FAULTS["power-cut"]
    played = Matrix(
        (
            Drill(row, 1, survived, predicted=24.1),
            Drill(row, 16, lost),
            Drill(row, 16, None, "broke"),
        )
    )
    campaign.save(played, tmp_path)

    told = json.loads((tmp_path / "matrix.json").read_text())
    assert told["totals"] == {"drills": 3, "failed": 2, "acked": 2998, "lost": 3}
    assert [each["passed"] for each in told["drills"]] == [True, False, False]
    assert [each.get("predicted_gap_seconds") for each in told["drills"]] == [24.1, None, None]
    page = Text()
    page.feed((tmp_path / "matrix.html").read_text())
    words = " ".join(page.words)
    assert page.loads == []
    assert "1 of 3 drills passed; 3 of 2,998 acknowledged writes lost" in words
    assert "Power cut <&>, depth 16" in words
    assert "broke" in words
    assert played.markdown().count("\n") == 5
    assert "| power-cut | 1 | 22.5 (60) | 24.1 | 1,499 | 0 | 0 | 1 |" in played.markdown()


def test_every_fault_is_named_once_and_its_steps_are_in_order():
    for name, row in matrix.FAULTS.items():
        assert row.name == name
        assert row.steps
        times = [step.at for step in row.steps]
        assert times == sorted(times), name
        assert any(at >= 0 for at in times), name
    assert set(matrix.CORE) <= set(matrix.FAULTS)


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
