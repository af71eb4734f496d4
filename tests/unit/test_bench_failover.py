"""`san bench failover`: what it keeps, and what it goes on with."""

import json

import pytest
from click.testing import CliRunner

from san import bench_failover
from san.contest import COUNTS, FIGURES, Contestant
from san.drill.errors import DrillFailedError

ROUND = {**dict.fromkeys(FIGURES, 9.0), **dict.fromkeys(COUNTS, 0), "load": 0.1}
ON = {"accel": "tcg"}


class Quiet:
    """A progress that says nothing."""

    def say(self, text):
        pass


@pytest.fixture
def played(monkeypatch, tmp_path):
    """The command with a lab in which each round is one of ROUND; returns whose were played."""
    seen = []

    def play(_lab, _way, out, _progress):
        seen.append(out.parent.name)
        return ROUND

    monkeypatch.chdir(tmp_path)
    for name, fake in {
        "Progress": Quiet,
        "started": lambda *_: (None, False),
        "init": bench_failover.click.Command("init", callback=lambda **_: None),
        "ran_on": lambda _: ON,
        "up_to_date": lambda _: None,
        "_round": play,
    }.items():
        monkeypatch.setattr(bench_failover, name, fake)
    monkeypatch.setattr(bench_failover.rivals, "set_up", lambda *_: None)
    return seen


def run(*arguments):
    return CliRunner().invoke(bench_failover.command, arguments)


def test_contestants_take_turns(played):
    assert run("--rounds", "2").exit_code == 0
    assert played == ["ours", "by_hand", "pacemaker"] * 2


def test_a_second_run_measures_only_what_is_missing(played):
    run("--rounds", "1", "--only", "by_hand")
    run("--rounds", "2", "--only", "by_hand", "--only", "pacemaker")
    assert played == ["by_hand", "pacemaker", "by_hand", "pacemaker"]

    run("--rounds", "2", "--only", "by_hand", "--anew")
    assert played[4:] == ["by_hand", "by_hand"]


def test_rounds_of_another_machine_are_measured_again(played, monkeypatch):
    run("--rounds", "1", "--only", "ours")
    monkeypatch.setattr(bench_failover, "ran_on", lambda _: {"accel": "kvm"})
    run("--rounds", "1", "--only", "ours")

    assert played == ["ours", "ours"]


def test_a_round_that_fails_is_noted_and_does_not_end_the_others(played, monkeypatch):
    play = bench_failover._round

    def fails(lab, way, out, progress):
        if out.parent.name == "by_hand":
            raise DrillFailedError("no write of badger was acknowledged for 180 s")
        return play(lab, way, out, progress)

    monkeypatch.setattr(bench_failover, "_round", fails)
    done = run("--rounds", "1")

    assert done.exit_code == 1
    assert "1 rounds could not be played" in done.output
    kept = json.loads(bench_failover.RESULTS.read_text())
    assert kept["by_hand"]["failed"] == ["no write of badger was acknowledged for 180 s"]
    assert played == ["ours", "pacemaker"]


def test_nothing_is_compared_with_rounds_of_another_machine(played, monkeypatch):
    run("--rounds", "1", "--only", "ours")
    monkeypatch.setattr(bench_failover, "ran_on", lambda _: {"accel": "kvm"})
    done = run("--rounds", "1", "--only", "by_hand", "--json")

    assert list(json.loads(done.stdout)) == ["by_hand"]
    assert played == ["ours", "by_hand"]


@pytest.mark.usefixtures("played")
def test_each_try_of_a_round_keeps_its_own_logs(monkeypatch):
    logs = []
    fails = {"2"}

    def play(_lab, _way, out, _progress):
        logs.append(out.name)
        if out.name in fails:
            raise DrillFailedError("broke")
        return ROUND

    monkeypatch.setattr(bench_failover, "_round", play)
    run("--rounds", "3", "--only", "ours")
    run("--rounds", "3", "--only", "ours")

    assert logs == ["1", "2", "3", "4"]


@pytest.mark.usefixtures("played")
def test_a_lost_write_of_ours_fails_the_command(monkeypatch):
    monkeypatch.setattr(bench_failover, "_round", lambda *_: {**ROUND, "lost": 1})

    done = run("--rounds", "1", "--only", "ours")

    assert done.exit_code == 1
    assert "ours lost 1 acknowledged writes" in done.output


def test_the_table_shows_ours_as_a_part_of_the_others(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    theirs = Contestant("by-hand-0badcafe", ON, ({**ROUND, "gap_seconds": 36.0},))

    bench_failover.show({"ours": Contestant("deployed-0badcafe", ON, (ROUND,)), "by_hand": theirs})
    shown = capsys.readouterr().out

    assert "36.0 (0.25)" in shown
    assert "ours' gap seconds / by_hand's: 0.25 (aim: at most 0.4), met" in shown
    assert "ours' move seconds: 9.00 (aim: at most 8), missed" in shown
    assert "ours' gap seconds / pacemaker's: not measured" in shown


def test_a_digest_is_of_names_modes_and_contents(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("1")
    digests = [bench_failover.digest([tree])]
    (tree / "a").write_text("2")
    digests.append(bench_failover.digest([tree]))
    (tree / "a").chmod(0o755)
    digests.append(bench_failover.digest([tree]))
    (tree / "b").touch()
    digests.append(bench_failover.digest([tree]))
    (tree / "b.pyc").touch()

    assert len(set(digests)) == 4
    assert bench_failover.digest([tree]) == digests[-1]
