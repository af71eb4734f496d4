"""What a drill does to the lab: to whom, in which order, and what it undoes afterwards."""

import subprocess

import pytest

from san.drill import guest, scenario, strikes
from san.drill.errors import DrillFailedError
from san.drill.fault import Act, Expectation, Fault, Step
from san.drill.stage import FROZEN, OFF, SERVING, STANDBY, Stage
from san.lab.errors import LabError
from san.lab.progress import Silent


class FakeLab:
    """Remembers what was asked of it; machines in `off` have no power."""

    def __init__(self, *off, deaf=()):
        self.told, self.off, self.deaf = [], set(off), set(deaf)

    def __getattr__(self, name):
        return lambda *words: self.told.append((name, *words))

    def powered(self, host):
        return host not in self.off

    def ssh(self, host, script, **_):
        self.told.append(("ssh", host, script))
        if host in self.deaf:
            raise LabError(f"{host} doesn't answer")
        return subprocess.CompletedProcess([], 0, stdout="", stderr="")


def stage(*off, deaf=()):
    return Stage(FakeLab(*off, deaf=deaf), "weasel", "otter", "badger")


def test_acts_name_parts_and_hit_machines():
    here = stage()
    for act in (
        strikes.cut(SERVING, "replication", "path-a"),
        strikes.plug(SERVING, "path-a"),
        strikes.disk_error(STANDBY),
        strikes.serial_cut(),
        strikes.reset(STANDBY),
    ):
        act.do(here)
    assert here.lab.told == [
        ("link_cut", "weasel", "replication"),
        ("link_cut", "weasel", "path-a"),
        ("link_up", "weasel", "path-a"),
        ("disk_error", "otter", "data"),
        ("serial_cut",),
        ("reset", "otter"),
    ]
    assert strikes.cut(SERVING, "path-a").text == "path-a of the serving node cut"


def test_a_node_s_outages_are_known():
    here = stage("weasel")
    strikes.power_cut(SERVING).do(here)
    strikes.freeze(STANDBY).do(here)
    assert here.running() == []
    strikes.power_on(SERVING).do(here)
    strikes.thaw(STANDBY).do(here)
    assert here.running() == ["weasel", "otter"]
    assert [span.name for span in here.outages("weasel")] == [OFF]
    assert [span.name for span in here.outages("otter")] == [FROZEN]
    assert here.outages("otter", OFF) == ()


def test_what_a_fencing_device_did_meanwhile_is_not_done_again():
    back = stage()  # it gave the power back
    strikes.power_cut(SERVING).do(back)
    strikes.power_on(SERVING).do(back)
    assert back.lab.told == [("power_cut", "weasel")]
    gone = stage("otter")  # it took the power away
    strikes.freeze(STANDBY).do(gone)
    strikes.thaw(STANDBY).do(gone)
    assert gone.lab.told == [("freeze", "otter")]


def test_a_node_that_was_reset_need_not_be_mended():
    deaf = stage(deaf=["weasel"])
    with pytest.raises(LabError):
        strikes.in_guest(SERVING, "no room on /", "fill").do(deaf)
    strikes.in_guest_again(SERVING, "room on /", "rm").do(deaf)


def test_a_node_that_came_back_by_itself_is_not_reset():
    alive, dead = stage(), stage(deaf=["weasel"])
    for here in (alive, dead):
        strikes.reset_if_dead(SERVING).do(here)
    assert ("reset", "weasel") not in alive.lab.told
    assert ("reset", "weasel") in dead.lab.told


def test_a_move_that_never_arrives_ends_the_drill(monkeypatch):
    monkeypatch.setattr(strikes, "A_MOVE", 0.01)
    with pytest.raises(DrillFailedError, match="move 1 of 2 has not arrived"):
        strikes.moves(2).do(stage(deaf=["otter"]))


def test_steps_are_taken_at_their_times(monkeypatch):
    """The fault's second is the first step's that doesn't prepare it, however long that took."""
    now = [1000.0]
    monkeypatch.setattr(scenario.time, "time", lambda: now[0])

    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        now[0] += seconds

    def takes(seconds):
        return Act(f"{seconds} s", lambda _: sleep(seconds))

    monkeypatch.setattr(scenario.time, "sleep", sleep)
    steps = (Step(-2, takes(7)), Step(0, takes(1)), Step(20, takes(5)), Step(22, takes(0)))
    fault = Fault("slow", "Slow", steps, Expectation(gap=1))
    struck_at, done = scenario._strike(stage(), fault, Silent())
    assert struck_at == 1007
    assert done == ((-2, "7 s"), (0, "1 s"), (20, "5 s"), (25, "0 s"))


@pytest.fixture
def script(tmp_path):
    """A resource script, and a shell to run what a node would run; a bind mount is a copy."""
    (tmp_path / "resource.d").mkdir()
    path = tmp_path / "resource.d/portal"
    path.write_text('#!/bin/sh\necho "real $0 $*"\n')
    path.chmod(0o755)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mount").write_text('#!/bin/sh\ncp "$2" "$3"\n')
    (programs / "mount").chmod(0o755)

    def sh(text):
        here = text.replace("/etc/ha.d", str(tmp_path)).replace(guest.STATE, f"{tmp_path}/state")
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        return subprocess.run(["sh", "-ec", here], check=False, capture_output=True, text=True,
                              env=environment)  # fmt: skip

    return sh


def test_a_wrapped_script_fails_as_often_as_told_and_then_is_itself(script):
    assert script(guest.wrap("portal", "start", "exit 1", times=1)).returncode == 0
    call = "/etc/ha.d/resource.d/portal 192.168.1.1/24/eth2"
    assert "192.168.1.1/24/eth2 status" in script(f"{call} status").stdout
    assert script(f"{call} start").returncode == 1
    again = script(f"{call} start")
    assert again.returncode == 0
    assert again.stdout.endswith("state/portal 192.168.1.1/24/eth2 start\n")


@pytest.mark.parametrize(
    "text",
    [
        guest.stop_user_space(60),
        guest.fork_bomb(60),
        guest.full_load(60),
        guest.fill("/run"),
        guest.clock(-3600),
        guest.wrap("portal", "stop", "exit 1", times=1),
        guest.DEAF,
        guest.PANIC,
    ],
)
def test_what_runs_in_a_node_is_shell(text):
    assert subprocess.run(["sh", "-nc", text], check=False).returncode == 0
