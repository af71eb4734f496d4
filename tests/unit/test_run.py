"""pyinfra as a command: what it did is read from what it prints."""

import pytest

from san.run import pyinfra

DEPLOY = """
from pyinfra import host
from pyinfra.facts.server import Hostname, KernelVersion
from pyinfra.operations import server

host.get_fact(Hostname)
host.get_fact(KernelVersion)
server.shell(name="Once", commands=["true"])
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "inventory.py").write_text("hosts = ['@local']\n", encoding="utf-8")
    (tmp_path / "deploy.py").write_text(DEPLOY, encoding="utf-8")
    return tmp_path


def test_commands_facts_and_changes_are_counted(place):
    operations = []
    run = pyinfra(directory=place, seen=operations.append)

    assert run.returncode == 0, run.log
    assert run.changed == 1
    assert operations == ["Once"]
    assert {name: reads.count for name, reads in run.facts.items()} == {
        "server.Hostname": 1,
        "server.KernelVersion": 1,
    }
    assert all(0 < reads.seconds < run.seconds for reads in run.facts.values())
    assert run.commands_per_host == {"@local": 3}


def test_a_run_that_fails_has_its_log_and_no_changes(place):
    (place / "deploy.py").write_text("raise SystemExit('not today')\n", encoding="utf-8")
    run = pyinfra(directory=place)

    assert run.returncode == 1
    assert run.changed == 0
    assert "not today" in run.log
