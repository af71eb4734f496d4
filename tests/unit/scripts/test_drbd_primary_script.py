"""The drbd-primary resource script, with a drbdadm that says what it is told to."""

import contextlib
import re
import socket
import subprocess

import attrs
import pytest

from san.render.template import TEMPLATES, raw

DRBDADM = """\
#!/bin/sh
echo "$*" >> ROOT/calls
cat ROOT/says
cp ROOT/later ROOT/uptime
exit $(cat ROOT/exits)
"""


@attrs.define
class Script:
    """The script, and its drbdadm."""

    root: object

    def drbdadm(self, says, exits=0):
        (self.root / "says").write_text(f"{says}\n")
        (self.root / "exits").write_text(f"{exits}\n")

    def call(self, *words):
        return subprocess.run(
            [self.root / "drbd-primary", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @property
    def calls(self):
        return (self.root / "calls").read_text().splitlines()


@pytest.fixture
def script(tmp_path):
    text = raw("resource.d/drbd-primary").replace("'/sbin/drbdadm'", f"'{tmp_path}/drbdadm'")
    text = text.replace("undef, undef, undef, 1", "undef, undef, undef, 0")
    for path in ("/dev/log", "/proc/uptime"):
        text = text.replace(f"'{path}'", f"'{tmp_path}/{path.rpartition('/')[2]}'")
    for name in ("uptime", "later"):
        (tmp_path / name).write_text("100.00 1.00\n")
    for name, content in {"drbd-primary": text, "drbdadm": DRBDADM}.items():
        (tmp_path / name).write_text(content.replace("ROOT", str(tmp_path)))
        (tmp_path / name).chmod(0o755)
    made = Script(tmp_path)
    made.drbdadm("")
    return made


def test_start_and_stop(script):
    assert script.call("r0", "start").returncode == 0
    assert script.call("r0", "stop").returncode == 0
    assert script.calls == ["primary r0", "secondary r0"]


@pytest.mark.parametrize(("action", "tries"), [("start", 6), ("stop", 3)])
def test_it_tries_again_and_says_why(script, action, tries):
    script.drbdadm("0: State change failed: (-2) Need access to UpToDate data", 17)
    done = script.call("r0", action)
    assert done.returncode == 1
    assert "Need access to UpToDate data" in done.stderr
    assert len(script.calls) == tries


def test_fencing_that_takes_its_time_is_not_asked_for_again(script):
    script.drbdadm("0: State change failed: (-7) State change was refused by peer node", 17)
    (script.root / "later").write_text("146.00 1.00\n")
    assert script.call("r0", "start").returncode == 1
    assert len(script.calls) == 1


def test_a_log_that_nobody_reads_holds_nothing(script):
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full,
    ):
        log.bind(str(script.root / "log"))
        full.connect(str(script.root / "log"))
        full.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while full.send(b"x"):
                pass
        assert script.call("r0", "start").returncode == 0


def test_no_program_of_ours_waits_for_the_log():
    programs = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    sends = [line for path in programs for line in re.findall(r"send \$log.*", path.read_text())]
    assert sends
    assert all("$MSG_DONTWAIT;" in line for line in sends)


@pytest.mark.parametrize(
    ("says", "exits", "word"),
    [
        ("Primary/Secondary", 0, "running"),
        ("Secondary/Primary", 0, "stopped"),
        ("Unconfigured", 0, "stopped"),
        ("Unknown/Secondary", 0, "running"),
        ("drbd.d/r0.res:7: you may want to upgrade\nSecondary/Primary", 0, "stopped"),
        ("  --==  a remark  ==--\nUnconfigured", 0, "stopped"),
        ("drbd.d/r0.res:7: a remark\nPrimary/Secondary", 0, "running"),
        ("it is Secondary/Primary", 0, "running"),
        ("Secondary/Unknown\nPrimary/Unknown", 0, "running"),
        ("a remark alone", 0, "running"),
        ("'r0' not defined in your config (for this host).", 1, "running"),
    ],
)
def test_status(script, says, exits, word):
    """What can't be told counts as running: a failed stop must not be taken for one that did."""
    script.drbdadm(says, exits)
    done = script.call("r0", "status")
    assert done.stdout == f"{word}\n"
    assert done.returncode == (0 if word == "running" else 3)


@pytest.mark.parametrize("words", [(), ("r0",), ("r0", "reload"), ("r0; reboot", "start")])
def test_wrong_call(script, words):
    assert script.call(*words).returncode == 2
