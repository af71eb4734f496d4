"""`san budget`, and what `san check` says of the times."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from san.cli import main

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "inventory.py").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """A directory with the reference inventory and its secrets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAN_SECRETS_FILE", str(tmp_path / "secrets.env"))
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, "sixteen-letters.")
    write(REFERENCE)


def san(*arguments):
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, arguments)


def write(text):
    Path("inventory.py").write_text(text, encoding="utf-8")


def with_deadtime(seconds):
    write(REFERENCE.replace("Heartbeat(links=", f"Heartbeat(deadtime={seconds}, links="))


def rows(output):
    cells = (line.split("│")[1:-1] for line in output.splitlines() if line.startswith("│"))
    return {name.strip(): [cell.strip() for cell in rest] for name, *rest in cells}


def test_the_table():
    result = san("budget")
    assert result.exit_code == 0, result.output
    found = rows(result.stdout)
    assert found["power-cut"] == ["6.0 / 7.0", "", "5.0 / 25.0", "1.5 / 3.2", "12.5 / 35.2", ""]
    assert found["target-killed"][-1] == "the watch"
    assert "reference: seconds that clients wait" in result.stdout
    assert "warning: longer than 30 s at worst" in result.stdout


def test_the_page_shows_the_same():
    page = (ROOT / "docs/budget.md").read_text(encoding="utf-8")
    shown = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            names, *cells = (cell.strip() for cell in line.split("|")[1:-1])
            shown |= {name.strip(" `"): cells for name in names.split(",")}
    assert shown == rows(san("budget").stdout)


def test_a_takeover_and_fencing_of_ones_own():
    found = rows(san("budget", "--takeover", "2", "--fencing", "3").stdout)
    assert found["power-cut"][1:3] == ["3.0 / 3.0", "2.0 / 22.0"]


def test_json():
    result = san("budget", "--json", "--takeover", "9")
    answer = json.loads(result.stdout)
    assert answer["ok"] is True
    (cluster,) = answer["clusters"]
    assert cluster["name"] == "reference"
    assert cluster["pace"]["takeover"] == 9
    assert cluster["conflicts"] == []
    cut = next(fault for fault in cluster["faults"] if fault["fault"] == "power-cut")
    assert cut["expected_seconds"] == 16.5
    assert cut["phases"]["detection"] == {"expected": 6, "worst": 7}


@pytest.mark.parametrize(("name", "status"), [("reference", 0), ("other", 2)])
def test_one_cluster(name, status):
    result = san("budget", "--cluster", name)
    assert result.exit_code == status
    if status:
        assert "no cluster 'other'; it has reference" in result.output


def test_times_that_conflict():
    with_deadtime(4)
    result = san("budget")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("clusters[0].heartbeat.deadtime: twice ping_int + ping_timeout")
    assert result.stderr == san("check").stderr, "one place says what is wrong"


def test_times_that_conflict_as_json():
    with_deadtime(4)
    result = san("budget", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert [problem["path"] for problem in answer["problems"]] == ["clusters[0].heartbeat.deadtime"]
    (conflict,) = answer["clusters"][0]["conflicts"]
    assert conflict["rule"] == "drbd-before-heartbeat"
    assert conflict["change"] == {"path": "heartbeat.deadtime", "value": 5.6}


@pytest.mark.parametrize("text", ["(", "from san.model import Site\nsite = Site(clusters=7)"])
def test_another_problem_as_json(text):
    write(text)
    result = san("budget", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["problems"]
    assert answer["clusters"] == []


def test_a_field_that_is_no_time_is_compared_with_none():
    """Paths like those of a conflict, and values that no rule could compare."""
    with_deadtime('"soon"')
    answer = json.loads(san("budget", "--json").stdout)
    assert answer["problems"][0]["path"] == "clusters[0].heartbeat.deadtime"
    assert answer["clusters"] == []


def test_a_conflict_beside_another_problem():
    """Neither hides the other; the budget needs no volumes."""
    with_deadtime(4)
    write(Path("inventory.py").read_text(encoding="utf-8").replace('"512M"', '"512"'))
    answer = json.loads(san("budget", "--json").stdout)
    assert [found["path"] for found in answer["problems"]] == [
        "clusters[0].volume_groups[0].volumes[0].size",
        "clusters[0].heartbeat.deadtime",
    ]
    assert answer["clusters"][0]["conflicts"][0]["change"]["value"] == 5.6


def test_check_says_a_line_for_each_cluster():
    result = san("check")
    line = "reference: a power cut of the serving node is expected to stop its clients for 12.5 s"
    assert [found for found in result.stdout.splitlines() if found.startswith(line)], result.stdout
