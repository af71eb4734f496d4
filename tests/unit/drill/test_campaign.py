"""A campaign over several calls: what is left, in which order, and what is kept of a drill."""

import json
from types import SimpleNamespace

import attrs
import pytest
from click.testing import CliRunner

from san.drill import campaign, commands, kept, matrix
from san.drill.errors import DrillFailedError, DrillRefusedError
from san.drill.fault import Expectation
from san.drill.options import INVENTORY
from san.drill.origin import digest
from san.drill.report import Report
from san.drill.results import Drill
from san.drill.timeline import Moments, Span, build
from san.inventory import load
from san.lab.lab import Lab
from san.lab.progress import Silent

HERE, ELSEWHERE = "4f1d0a2b66c1", "000000000000"
POWER_CUT, RESET, PANIC = (matrix.FAULTS[name] for name in ("power-cut", "reset", "panic"))


def drilled(fault, outcome, depth=1, **more):
    told = {
        "title": fault.title, "fenced": False, "origin": HERE, "seconds": 240.0,
        "played": "2026-11-28T18:00:00+00:00",
    }  # fmt: skip
    return Drill(fault=fault.name, depth=depth, outcome=outcome, **{**told, **more})


class TestLeft:
    """What the next call plays."""

    WANTED = ((POWER_CUT, 1), (RESET, 1), (PANIC, 1))

    def names(self, before, origin=HERE, *, fenced=False):
        return [
            fault.name for fault, _ in campaign.left(self.WANTED, before, origin, fenced=fenced)
        ]

    def test_what_has_passed_here_is_not_played_again(self, survived):
        assert self.names([drilled(RESET, survived)]) == ["power-cut", "panic"]

    @pytest.mark.parametrize(
        "other", [{"depth": 16}, {"fenced": True}, {"origin": ELSEWHERE}, {"origin": ""}]
    )
    def test_elsewhere_at_another_depth_or_with_stonith_is_another_drill(self, survived, other):
        assert "reset" in self.names([drilled(RESET, survived, **other)])

    def test_a_snapshot_that_does_not_tell_has_passed_nothing(self, survived):
        assert "reset" in self.names([drilled(RESET, survived, origin="")], origin="")

    def test_what_was_never_played_comes_first_and_what_failed_here_last(self, survived):
        failed = drilled(POWER_CUT, None, error="broke")
        moved_on = drilled(RESET, survived, origin=ELSEWHERE)
        assert self.names([failed, moved_on]) == ["panic", "reset", "power-cut"]


def test_how_far_it_is_and_how_long_it_takes_yet(survived):
    before = [drilled(POWER_CUT, survived, seconds=seconds) for seconds in (200.0, 240.0, 1800.0)]
    assert campaign.standing(128, 100, before) == (
        "100 of 128 drills to play: about 6 h 40 min (4.0 min each)"
    )
    assert campaign.standing(128, 3, before).endswith(": about 12 min (4.0 min each)")
    assert campaign.standing(128, 128, []) == "128 of 128 drills to play"
    assert campaign.standing(128, 0, before) == "0 of 128 drills to play"


class TestKept:
    def test_a_drill_is_read_as_it_was_written(self, survived, tmp_path):
        failover = Report(
            fault="power-cut", title="Power cut", struck="weasel", survivor="otter",
            client="badger", device="/dev/mapper/mpatha", accel="tcg", suite="bookworm",
            started=survived.started, acked=3, errors=0, verification={"lost": 0},
            timeline=build((-1, 21.5, 22), Moments(10.0, 18.2, (Span("portal", 11, 12),))),
            clock_uncertainty=0.004, events=(), rate=((-1.0, 2.0),),
        )  # fmt: skip
        told = [
            drilled(POWER_CUT, attrs.evolve(survived, failover=failover), predicted=22.5),
            drilled(POWER_CUT, survived, fenced=True),
            drilled(RESET, None, 16, error="broke"),
        ]
        for one in told:
            kept.write(one, tmp_path)
        assert sorted(kept.read(tmp_path), key=repr) == sorted(told, key=repr)

    def test_a_later_one_takes_its_place(self, survived, tmp_path):
        kept.write(drilled(POWER_CUT, None, error="broke"), tmp_path)
        kept.write(drilled(POWER_CUT, survived), tmp_path)
        assert [one.passed for one in kept.read(tmp_path)] == [True]

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"fault": "reset", "outcome": 7}'])
    def test_what_cannot_be_read_is_none(self, tmp_path, text):
        (tmp_path / "drill.json").write_text(text)
        assert kept.read(tmp_path) == ()


@pytest.fixture
def secrets(monkeypatch):
    for name in ("DRBD_SECRET", "CHAP_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, f"of-{name.lower()}")


class Machines:
    """A lab that restores its snapshot, and no more."""

    def __init__(self):
        self.restored = 0
        self.state = SimpleNamespace(snapshots={"deployed": SimpleNamespace(origin=HERE)})

    def restore(self, name):
        assert name == "deployed"
        self.restored += 1


@pytest.fixture
def play(survived, monkeypatch):
    """Instead of a drill: its name is noted, and what `ends` has for it happens."""
    ends = {}
    played = []

    def instead(_lab, fault, *_nodes, depth, **_more):
        played.append((fault.name, depth))
        if fault.name in ends:
            raise ends[fault.name]
        return attrs.evolve(survived, fault=fault.name, depth=depth, expected=Expectation(gap=60))

    monkeypatch.setattr(campaign, "play", instead)
    return SimpleNamespace(ends=ends, played=played)


def run(lab, out, faults=(POWER_CUT, RESET, PANIC), **more):
    told = {"depths": (1,), "anew": False, "out": out, "progress": Silent()}
    campaign.run(lab, ("weasel", "otter"), "badger", faults=faults, **{**told, **more})


class TestRun:
    def test_a_second_call_goes_on_where_the_first_was(self, play, tmp_path):
        lab = Machines()
        play.ends["reset"] = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            run(lab, tmp_path)
        assert [one.fault for one in campaign.matrix(tmp_path).drills] == ["power-cut"]

        play.ends["reset"] = DrillFailedError("the client had no steady writing")
        run(lab, tmp_path)
        assert play.played == [("power-cut", 1), ("reset", 1), ("reset", 1), ("panic", 1)]
        told = json.loads((tmp_path / "matrix.json").read_text())
        assert told["totals"]["drills"] == 3
        assert [one["drill"] for one in told["drills"]] == ["power-cut", "reset", "panic"]

        play.ends.clear()
        run(lab, tmp_path)
        assert play.played[4:] == [("reset", 1)]
        assert campaign.matrix(tmp_path).failed == ()
        run(lab, tmp_path)
        assert lab.restored == len(play.played) == 5

    def test_anew(self, play, tmp_path):
        for _ in range(2):
            run(Machines(), tmp_path, (RESET,), anew=True)
        assert play.played == [("reset", 1)] * 2

    def test_another_cluster_begins_anew(self, play, tmp_path):
        run(Machines(), tmp_path, (RESET,))
        other = Machines()
        other.state.snapshots["deployed"].origin = ELSEWHERE
        run(other, tmp_path, (RESET,))
        assert len(play.played) == 2
        assert [one.origin for one in kept.read(tmp_path)] == [ELSEWHERE]

    def test_after_the_limit_none_is_begun(self, play, tmp_path):
        run(Machines(), tmp_path, deadline=0.0)
        assert play.played == []
        assert json.loads((tmp_path / "matrix.json").read_text())["drills"] == []

    def test_no_snapshot_is_refused(self, tmp_path):
        lab = Machines()
        lab.state.snapshots.clear()
        with pytest.raises(DrillRefusedError, match="`san demo` deploys the cluster"):
            run(lab, tmp_path)


@pytest.mark.usefixtures("play", "secrets")
class TestCommand:
    """Each way in which `san drill all` ends."""

    @pytest.fixture
    def all_of(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Lab, "open", Machines)
        out = str(tmp_path)
        words = ["all", "--only", "power-cut-standby", "--depth", "16", "--out", out]
        return lambda *more: CliRunner().invoke(commands.drill, [*words, *more])

    def test_well(self, all_of):
        done = all_of("--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["totals"]["failed"] == 0
        again = all_of("--markdown")
        assert "0 of 1 drills to play" in again.stderr
        assert "| power-cut-standby | 16 |" in again.stdout

    def test_ctrl_c(self, all_of, play, tmp_path):
        play.ends["power-cut-standby"] = KeyboardInterrupt()
        done = all_of()
        assert done.exit_code == 1
        assert done.stderr.endswith("Error: interrupted; `san drill all` goes on from here\n")
        assert (tmp_path / "matrix.html").exists()

    def test_a_failure(self, all_of, play):
        play.ends["power-cut-standby"] = DrillFailedError("broke")
        done = all_of()
        assert done.exit_code == 1
        assert "Error: not as it must be: power-cut-standby; the logs are in" in done.stderr

    @pytest.mark.parametrize("other", [{"origin": ELSEWHERE}, {"fenced": True}])
    def test_what_another_cluster_came_to_is_not_this_ones(self, all_of, tmp_path, other):
        fault = matrix.FAULTS["power-cut-standby"]
        kept.write(drilled(fault, None, 16, error="broke", **other), tmp_path)
        done = all_of("--limit", "0", "--json")
        assert done.exit_code == 0
        assert json.loads(done.stdout)["totals"]["drills"] == 0
        assert len(json.loads((tmp_path / "matrix.json").read_text())["drills"]) == 1

    def test_limit(self, all_of, play):
        assert all_of("--limit", "0").exit_code == 0
        assert play.played == []


@pytest.mark.usefixtures("secrets")
def test_the_origin_is_what_is_deployed():
    clusters = load(INVENTORY).clusters
    machines = {"weasel": "6.1.0\ndrbd-utils 9.22\n", "badger": "6.1.0\n"}
    lab = ("bookworm", "tcg", "4f1d0a2b")
    first = digest(clusters, machines, lab)
    assert first == digest(clusters, dict(machines), list(lab))
    assert len(first) == 12
    (cluster,) = clusters
    slower = attrs.evolve(cluster, timing=attrs.evolve(cluster.timing, login_timeout=6))
    others = {
        digest([slower], machines, lab),
        digest(clusters, {**machines, "badger": "6.2.0\n"}, lab),
        digest(clusters, machines, ("trixie", *lab[1:])),
    }
    assert len(others | {first}) == 4
