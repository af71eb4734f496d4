"""What san-watch tells, and what it must not be taken for."""

import json

import attrs
import pytest

from san.decide.health import watch_amiss
from san.observe.sections import UnreadableError
from san.observe.watch import STALE, Finding, Report, WatchState, parse

WELL = Report(1.5, "serving", 9, (), None, None, None, None, 0)
TOLD = {
    "now": 100,
    "role": "serving",
    "checks": [],
    "waits": "",
    "action": None,
    "move": None,
    "limits": None,
}


def said(*lines, status=0):
    return ["[san:begin watch]", *lines, "", f"[san:end watch {status}]"]


def amiss(**parts):
    return watch_amiss("weasel", WatchState(running=True, boot="enabled", **parts))


def test_all_is_well():
    assert amiss(report=WELL) is None


def test_no_answer_is_no_good_answer():
    silence = "the watch on weasel says nothing"
    assert silence in amiss(report=None)
    assert silence in amiss(report=attrs.evolve(WELL, age=STALE + 1))
    assert silence in watch_amiss("weasel", WatchState(False, "enabled", WELL))
    assert "can't look: /etc" in amiss(report=attrs.evolve(WELL, role="unknown", waits="/etc: no"))


@pytest.mark.parametrize("sure", [True, False])
def test_a_finding_is_named_and_so_is_a_doubt(sure):
    finding = Finding("link eth2", "without carrier", 3.0, sure)
    said = amiss(report=attrs.evolve(WELL, findings=(finding,)))
    assert said == "the watch on weasel finds link eth2: without carrier"


def test_a_report_before_any_configuration_was_read():
    told = TOLD | {"role": "unknown", "waits": "it can't go on"}
    found = parse(said("daemon san-watch", "uptime 101.0 1.0", json.dumps(told)))
    assert found.report == attrs.evolve(
        WELL, age=1.0, role="unknown", checks=0, waits="it can't go on"
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("uptime 101.0", "{"),
        ("uptime 101.0", "{}"),
        (json.dumps(TOLD),),
        ("uptime 101.0", json.dumps(TOLD | {"role": "well"})),
        ("uptime 101.0", json.dumps(TOLD | {"checks": [{"name": "a link"}]})),
    ],
)
def test_what_is_no_report_is_unreadable(lines):
    with pytest.raises(UnreadableError, match=r"watch\.json"):
        parse(said(*lines))


@pytest.mark.parametrize("output", [[], said("cat: Permission denied", status=1)])
def test_what_could_not_be_read_is_unreadable(output):
    with pytest.raises(UnreadableError, match="can't be read"):
        parse(output)
