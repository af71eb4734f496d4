"""`san recover split-brain`: who may be named, what a person reads, what pyinfra is told."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

import san.recover
from san.cli import main

ROOT = Path(__file__).parents[2]

SIDE = {
    "connection": "StandAlone",
    "role": "Secondary",
    "disk": "UpToDate",
    "generation": "7F11AA23C4D5E6F0",
    "changed_kib": 16,
    "changed": {
        "luns": {"iqn.x:test LUN 1 (storage/test)": 8},
        "elsewhere": 4,
        "uncounted": 4,
        "active": ["iqn.x:test LUN 1 (storage/test)"],
        "unknown": None,
    },
    "parted": 1795891203.5,
    "changed_from": 1795891204.5,
    "changed_until": 1795891300.0,
    "primary": None,
    "heartbeat": False,
    "clients": [],
}
WEASEL = {
    "node": "weasel",
    **SIDE,
    "role": "Primary",
    "changed_kib": 8,
    "clients": ["iqn.x:badger"],
}
R0 = {
    "resource": "r0",
    "relation": "split",
    "luns": ["iqn.x:test LUN 1 (storage/test)"],
    "sides": [WEASEL, {"node": "otter", **SIDE}],
}


@pytest.fixture
def asked(monkeypatch):
    """What pyinfra was started with; a dry run answers with a report."""
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, f"secret-of-{name[:5]}")
    calls = []

    def run(command, **_):
        calls.append(command)
        for word in command:
            if word.startswith("report="):
                report = {"cluster": "reference", "resources": [R0]}
                Path(word.removeprefix("report=")).write_text(json.dumps(report), encoding="utf-8")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(san.recover.subprocess, "run", run)
    return calls


def recover(*arguments):
    return CliRunner().invoke(
        main, ["recover", "split-brain", *arguments, str(ROOT / "inventory.py")]
    )


def test_without_a_victim_it_only_looks(asked):
    done = recover()
    assert done.exit_code == 0, done.output
    (command,) = asked
    assert "--dry" in command
    assert "-y" not in command
    assert not any(word.startswith("victim=") for word in command)
    said = " ".join(done.output.split())
    for words in (
        "split brain",
        "no volume: 4 KiB",
        "8 KiB",
        "16 KiB",
        "iqn.x:badger",
        "iqn.x:test LUN 1",
    ):
        assert words in said
    assert "Giving up weasel's changes loses 8 KiB; clients may be using weasel now." in said
    assert "Giving up otter's changes loses 16 KiB." in said
    assert "systemctl stop heartbeat" in said
    assert "2026-11-28" in said


def test_as_json(asked):
    done = recover("--json")
    assert json.loads(done.output)["resources"][0]["sides"][1]["changed_kib"] == 16
    assert len(asked) == 1


def test_a_victim_is_told_to_pyinfra_as_text(asked):
    done = recover("--victim", "otter", "--image", "/srv/keep")
    assert done.exit_code == 0, done.output
    (command,) = asked
    assert "-y" in command
    assert command.count("--limit") == 2
    assert 'victim="otter"' in command
    assert 'image="/srv/keep"' in command
    assert "otter# systemctl start heartbeat" in done.output
    assert list(san.recover.data("otter", None, "true"))[-1] == 'without_image="true"'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--victim", "badger", "--image", "/srv"), "'badger' is no node of reference"),
        (("--victim", "otter", "--image", "/srv", "--without-image", "x"), "not both"),
        (("--cluster", "other"), "'other' is none of reference"),
    ],
)
def test_what_is_refused_before_a_host_is_touched(asked, arguments, said):
    done = recover(*arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert asked == []


def test_no_split_brain_is_said(asked, monkeypatch):
    monkeypatch.setitem(R0, "relation", None)
    done = recover()
    assert "There is no split brain: nothing is to be given up." in " ".join(done.output.split())
    assert "--victim" not in done.output
    assert len(asked) == 1


def test_a_run_that_fails_ends_the_same(asked, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "otter: it can't be reached")
    monkeypatch.setattr(san.recover.subprocess, "run", lambda *_, **__: failed)
    done = recover()
    assert done.exit_code == 1
    assert "it can't be reached" in done.output
    assert recover("--victim", "otter", "--image", "/srv").exit_code == 1
    assert asked == []
