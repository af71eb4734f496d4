"""san-watch against the real tgtd: what it sees, what it does, and what it leaves alone."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from hashlib import md5
from pathlib import Path

import pytest
from private_machine import run, target

from san.model import Acl, Timing
from san.render.template import TEMPLATES

SLOW_TARGET = Path(__file__).with_name("slow_target.py")
TEST = "iqn.2009-02.com.example:test"
SERVING = " 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n"
ALONE = " 0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----\n"
STANDING_BY = " 0: cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----\n"
ORPHAN = " 0: cs:WFConnection ro:Secondary/Unknown ds:UpToDate/DUnknown C r-----\n"
NOTICED = 10
"""Seconds within which a failure is to be noticed."""
QUICK = {"every": 0.3, "answer": 1}
"""A watch that looks more often than a node's, so that tests needn't wait for it."""

CONF = """\
node {node}
node peer
every {every}
answer {answer}
slow {slow}
cut {cut}
start {start}
step 60
group 300
moves 1
moves-within 1800
takeover 1
retries 2
drbd r0 0
resource drbddisk r0
resource portal 192.168.1.1/24/lo
resource portal 192.168.2.1/24/lo
resource arp_filter
resource iscsi-target
"""

PORTAL = """\
#!/bin/sh
echo "portal $*" >> {log}
ip address add "${{1%/*}}" dev "${{1##*/}}"
"""


def until(what, limit=NOTICED):
    """What `what` returns, once that is true; the seconds that it took are in `until.took`."""
    began = time.monotonic()
    while time.monotonic() < began + limit:
        if found := what():
            until.took = time.monotonic() - began
            return found
        time.sleep(0.1)
    return what()


MOVER = f"mover-{os.getpid()}"
MOVERS = (r"@MOVERS = qw\(.+\)", f"@MOVERS = qw({MOVER})")
"""All tests share one /proc: another one's programs are none of a test's own Heartbeat."""


class Watch:
    """The watch on a node of files: its Heartbeat, its /proc/drbd, and what it calls."""

    def __init__(self, machine, directory):
        self.machine = machine
        self.directory = directory
        self.log = directory / "log"
        self.log.touch()
        self.processes = []
        for name in ("san-watch", "Initiator.pm", "Sight.pm"):
            self.place(name)
        machine.script.rename(directory / "iscsi-target")
        machine.script.symlink_to(directory / "iscsi-target")
        self.program("portal", PORTAL.format(log=self.log))
        self.says(rscstatus="all", nodestatus="active")
        for name in ("hb_standby", "ResourceManager", "drbdadm", "san-fence"):
            self.program(name, f'#!/bin/sh\necho "{name} $*" >> {self.log}\n')
        self.drbd(SERVING)
        self.speed(DOUBT_S=0.2)
        self.configure(**QUICK)
        machine.run("sh", "-c", "rm -f /run/san/watch.* /var/lib/san/watch.moves")

    def configure(self, **seconds):
        """A node's figures, and other ones where they are given."""
        timing = Timing()
        told = {
            "every": timing.watch_interval,
            "answer": timing.watch_answer,
            "slow": timing.watch_slow_lun,
            "cut": timing.watch_cut,
            "start": timing.watch_start,
        }
        text = CONF.format(node=os.uname().nodename, **{**told, **seconds})
        self.machine.put("/etc/san/watch.conf", text)

    def place(self, name):
        """The program, with the places of this machine instead of a node's."""
        text = re.sub(*MOVERS, (TEMPLATES / "watch" / name).read_text())
        for real in (
            "/usr/local/lib/san",
            "/etc/ha.d/resource.d",
            "/usr/share/heartbeat",
            "/usr/local/sbin",
        ):
            text = text.replace(f"'{real}", f"'{self.directory}")
        for real in ("/usr/bin/cl_status", "/proc/drbd", "/run/heartbeat.pid", "/sys/block"):
            text = text.replace(f"'{real}'", f"'{self.directory}/{real.rpartition('/')[2]}'")
        text = text.replace("'/usr/sbin/drbdadm'", f"'{self.directory}/drbdadm'")
        text = text.replace("'/run/san.lock'", f"'{self.directory}/run.lock'")
        text = text.replace("/var/lib/san", str(self.directory / "lib"))
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def program(self, name, text):
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def says(self, **answers):
        cases = "".join(f"{key}) echo {value};;\n" for key, value in answers.items())
        self.program(
            "cl_status", f'#!/bin/sh\necho "cl_status $*" >> {self.log}\ncase $1 in\n{cases}esac\n'
        )

    def drbd(self, line):
        new = self.directory / "drbd.new"
        new.write_text(f"version: 8.4.11 (api:1/proto:86-101)\n{line}")
        new.rename(self.directory / "drbd")

    def start(self, heartbeat=True):
        if heartbeat:
            (self.directory / "heartbeat").symlink_to("/bin/sleep")
            beat = self.spawn(self.directory / "heartbeat", "600")
            (self.directory / "heartbeat.pid").write_text(f"      {beat.pid}\n")
        self.begin()

    def begin(self):
        self.watch = self.spawn(
            self.directory / "san-watch", stdout=(self.directory / "journal").open("a")
        )
        assert until(self.state)

    def spawn(self, *words, **more):
        process = subprocess.Popen((*self.machine.enter, *map(str, words)), **more)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def state(self):
        text = self.machine.run("cat", "/run/san/watch.json", check=False).stdout
        return json.loads(text) if text else None

    def journal(self):
        return (self.directory / "journal").read_text()

    def called(self, name):
        """What was called, by the first word of the line."""
        return [line for line in self.log.read_text().splitlines() if line.startswith(name)]

    def ill(self):
        """What failed in two looks, with what was said."""
        return {each["name"]: each["say"] for each in self.state()["checks"] if each["fails"] > 1}

    def looks(self, count=3):
        """So many looks later."""
        for _ in range(count):
            before = self.state()["now"]
            assert until(lambda before=before: self.state()["now"] > before)

    def well(self):
        state = self.state()
        return not any(each["fails"] for each in state["checks"])

    def speed(self, **constants):
        """Other limits than a node has, by the constant's name."""
        program = self.directory / "san-watch"
        text = program.read_text()
        for name, value in constants.items():
            line = rf"(?m)^(my \${name} += )[^;]+;"
            text, count = re.subn(line, rf"\g<1>{value};", text)
            assert count == 1, name
        program.write_text(text)


@pytest.fixture
def watch(machine, tmp_path):
    directory = tmp_path / "node"
    directory.mkdir()
    one = Watch(machine, directory)
    yield one
    one.stop()
    machine.run(
        "sh",
        "-c",
        "ip address add 192.168.2.1/24 dev lo 2>/dev/null; rm -f /run/san/watch.*",
    )


@pytest.fixture
def serving(watch, configured):
    """The watch on a node that serves two LUNs."""
    configured(target("test", "one", "two"))
    assert watch.machine.call("start").returncode == 0
    watch.start()
    assert until(lambda: watch.state()["role"] == "serving" and watch.well())
    return watch


def test_all_is_well_and_nothing_is_asked(serving):
    serving.looks()
    state = serving.state()
    names = {each["name"] for each in state["checks"]}
    assert {f"{TEST} at 192.168.1.1", f"{TEST} at 192.168.2.1", "DRBD r0", "link lo"} <= names
    assert serving.well()
    assert serving.called("") == []


def test_a_killed_target_is_started_once_and_serves_again(serving):
    before = serving.machine.tgtd
    os.kill(before, signal.SIGKILL)
    assert until(lambda: serving.state()["action"])
    assert until(serving.well, 20)
    assert serving.machine.tgtd != before
    assert serving.journal().count("mend in place") == 1
    assert serving.called("hb_standby") == []


def test_a_hung_target_is_noticed_in_time_and_started_anew(watch, configured):
    """With a node's own figures."""
    configured(target("test", "one", "two"))
    assert watch.machine.call("start").returncode == 0
    watch.speed(DOUBT_S=1)
    watch.configure()
    watch.start()
    serving = watch
    assert until(watch.well)
    before = serving.machine.tgtd
    os.kill(before, signal.SIGSTOP)
    assert until(lambda: "no answer" in str(serving.ill()))
    assert until(serving.well, 30)
    assert serving.machine.tgtd != before


class TestLook:
    """What a login and a read answer."""

    @pytest.mark.parametrize(
        "acl", [None, Acl(("10.0.0.0/8",)), Acl(("iqn.2009-02.com.example:x",))]
    )
    @pytest.mark.parametrize("chap", [None, "CHAP_SECRET"])
    def test_the_watch_is_admitted_whoever_else_is(self, watch, configured, chap, acl):
        configured(target("test", "one", chap=chap, acl=acl), target("more", "two"))
        assert watch.machine.call("start").returncode == 0
        watch.start()
        watch.looks()
        assert watch.well(), watch.ill()

    def test_a_wrong_secret_is_told(self, watch, configured):
        text = configured(target("test", "one", chap="CHAP_SECRET"))
        watch.machine.call("start")
        secret = os.environ["CHAP_SECRET"]
        watch.machine.put("/etc/san/stgt.conf", text.replace(secret, "another-secret"))
        watch.start()
        assert until(lambda: "status 0201" in str(watch.ill()))
        watch.looks()
        assert watch.state()["action"] is None, "a configuration that waits to be applied"

    def test_no_secret_is_told(self, watch, configured):
        configured(target("test", "one", chap="CHAP_SECRET"))
        watch.machine.call("start")
        watch.start()
        watch.looks()
        secret = os.environ["CHAP_SECRET"]
        assert secret not in watch.journal()
        assert secret not in json.dumps(watch.state())

    def test_its_session_is_no_clients(self, serving, configured):
        """A LUN that no client uses may go, however often the watch is logged in."""
        configured(target("test", "one"))
        serving.machine.put("/run/san/watch.hold", "")
        for _ in range(5):
            assert serving.machine.call("check").stdout == f"remove LUN 2 of {TEST}\n"
            done = serving.machine.call("apply")
            assert done.returncode == 0, done.stderr
            configured(target("test", "one", "two"))
            assert serving.machine.call("apply").returncode == 0
            configured(target("test", "one"))

    def test_a_change_that_waits_to_be_applied_is_not_made_by_a_restart(self, serving, configured):
        before = serving.machine.tgtd
        serving.machine.run("touch", "-d", "10 seconds ago", "/run/san/stgt.applied")
        configured(target("test", "one"))
        assert until(lambda: "it serves the LUNs 1, 2, not 1" in str(serving.ill()))
        serving.looks()
        assert serving.machine.tgtd == before
        assert serving.machine.call("apply").returncode == 0
        assert until(serving.well)
        assert serving.state()["action"] is None

    def test_an_applied_configuration_without_a_difference_counts_as_applied(self, serving):
        serving.machine.run("touch", "/etc/san/stgt.conf")
        assert serving.machine.call("apply").returncode == 0
        serving.machine.run("sh", "-c", "test /run/san/stgt.applied -nt /etc/san/stgt.conf")

    def test_tgtd_is_left_at_rest(self, serving):
        serving.looks(5)
        assert until(lambda: serving.machine.control_sockets() == 1)
        sessions = serving.machine.run("tgtadm", "--mode", "target", "--op", "show").stdout
        assert sessions.count("I_T nexus:") <= 1


@pytest.mark.parametrize("text", [b"", b"abc", b"x" * 55, b"x" * 56, b"x" * 64, bytes(range(200))])
def test_md5(text):
    """Digest::MD5 is no part of perl-base."""
    code = "print unpack 'H*', Initiator::md5(join '', <STDIN>)"
    words = ("perl", f"-I{TEMPLATES}/watch", "-MInitiator", "-e", code)
    done = subprocess.run(words, input=text, capture_output=True, check=True)
    assert done.stdout.decode() == md5(text).hexdigest()  # noqa: S324 (CHAP's algorithm 5)


def test_it_needs_nothing_but_perl_base():
    base = set(run("dpkg", "-L", "perl-base").stdout.split())
    used = 'print join "\\n", grep { !m{/watch/} } values %INC'
    code = f"require Initiator; require Sight; {used}"
    loaded = run("perl", f"-I{TEMPLATES}/watch", "-e", code).stdout.split()
    assert loaded
    assert set(loaded) <= base | {path.removeprefix("/usr") for path in base}


def test_systemd_hears_that_it_is_ready_and_that_it_lives(watch, monkeypatch):
    """The service's type is `notify`, and it has a watchdog."""
    path = watch.directory / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(NOTICED)
        watch.start()
        assert b"READY=1" in [systemd.recv(64) for _ in range(5)]
        assert systemd.recv(64) == b"WATCHDOG=1"


class TestMending:
    """In place once."""

    def test_a_lun_that_is_gone_comes_back(self, serving):
        tid = serving.machine.run("tgtadm", "--mode", "target", "--op", "show").stdout.split()[1]
        gone = ("tgtadm", "--mode", "logicalunit", "--op", "delete", "--lun", "2", "--tid")
        serving.machine.run(*gone, tid.rstrip(":"))
        assert until(lambda: serving.state()["action"])
        assert "it serves the LUNs 1, not 1, 2" in serving.state()["action"]["say"]
        assert until(serving.well, 20)

    def test_a_portal_that_is_gone_comes_back_and_the_target_stays(self, serving):
        before = serving.machine.tgtd
        serving.machine.run("ip", "address", "delete", "192.168.2.1/24", "dev", "lo")
        assert until(lambda: serving.called("portal"))
        assert until(serving.well)
        assert serving.called("portal") == ["portal 192.168.2.1/24/lo start"]
        assert serving.machine.tgtd == before

    def test_a_stop_by_hand_is_waited_for(self, serving):
        """What holds iscsi-target's lock is at work: no one else may."""
        lock = ("flock", "/run/san/iscsi-target.lock", "sleep", "600")
        holder = serving.spawn(*lock)
        os.kill(serving.machine.tgtd, signal.SIGKILL)
        assert until(lambda: serving.state()["waits"] == "iscsi-target is at work")
        assert serving.state()["action"] is None
        os.kill(int(run("pgrep", "-P", str(holder.pid)).stdout), signal.SIGKILL)
        assert until(serving.well, 20)

    def test_held(self, serving):
        serving.machine.put("/run/san/watch.hold", "Jane works on it\n")
        os.kill(serving.machine.tgtd, signal.SIGKILL)
        assert until(lambda: "Jane works on it" in serving.state()["waits"])
        assert until(serving.ill)
        serving.looks()
        assert serving.state()["action"] is None
        serving.machine.run("rm", "/run/san/watch.hold")
        assert until(serving.well, 20)

    @pytest.mark.parametrize(
        ("word", "why"),
        [
            ("transition", "resources move"),
            ("none", "does not say that this node holds"),
            ("", "does not answer"),
        ],
    )
    def test_not_against_heartbeats_word(self, serving, word, why):
        serving.says(rscstatus=word)
        os.kill(serving.machine.tgtd, signal.SIGKILL)
        assert until(lambda: why in serving.state()["waits"])
        serving.looks()
        assert serving.state()["action"] is None
        assert len(serving.called("cl_status")) <= 2, "asked once in a while"

    def test_not_without_heartbeat(self, watch, configured):
        configured(target("test", "one"))
        watch.configure(**QUICK, start=0)
        watch.start(heartbeat=False)
        assert until(lambda: watch.state()["waits"] == "Heartbeat does not run here")
        assert watch.called("") == []

    def test_not_while_heartbeats_scripts_work(self, serving):
        (serving.directory / MOVER).symlink_to("/bin/sleep")
        mover = serving.spawn(serving.directory / MOVER, "600")
        os.kill(serving.machine.tgtd, signal.SIGKILL)
        assert until(lambda: f"moves resources ({MOVER})" in serving.state()["waits"])
        assert serving.called("") == []
        mover.kill()
        mover.wait()
        assert until(serving.well, 20)

    @pytest.fixture
    def silent(self, watch, configured):
        """A peer that Heartbeat doesn't hear."""
        configured(target("test", "one"))
        assert watch.machine.call("start").returncode == 0
        watch.speed(HEAR_S=1)
        watch.says(rscstatus="all", nodestatus="dead")
        watch.machine.run("sh", "-c", "rm -rf /run/san/fence /etc/san/stonith.conf")
        yield watch
        watch.machine.run("sh", "-c", "rm -rf /run/san/fence /etc/san/stonith.conf")

    @pytest.mark.parametrize("connection", ["Connected", "SyncSource", "VerifyS"])
    def test_heartbeat_forgets_a_silent_peer_that_drbd_still_sees(self, silent, connection):
        """It would give everything up on that node's return."""
        silent.drbd(SERVING.replace("Connected", connection))
        silent.start()
        assert until(lambda: silent.called("san-fence"))
        assert all(call.startswith("san-fence forget ") for call in silent.called("san-fence"))

    def test_of_one_that_drbd_lost_it_asks_by_itself(self, silent):
        silent.drbd(ALONE)
        silent.start()
        silent.looks(6)
        assert silent.called("san-fence") == []
        silent.drbd(SERVING)
        assert until(lambda: silent.called("san-fence"))

    def test_one_that_is_forgotten_is_not_forgotten_again(self, silent):
        """Nor asked about: a Heartbeat that was just replaced answers nobody."""
        silent.machine.run("sh", "-c", "mkdir -p /run/san/fence; touch /run/san/fence/forgotten")
        silent.start()
        silent.looks(6)
        assert silent.called("cl_status nodestatus") == silent.called("san-fence") == []
        silent.machine.run("rm", "/run/san/fence/forgotten")  # as harc does, once it is heard
        assert until(lambda: silent.called("san-fence"))

    @pytest.mark.parametrize("told", ["node badger\nnode peer\n", None])
    def test_one_that_stonith_ends_is_not_forgotten(self, silent, told):
        """Also where it can't be read whom it ends."""
        if told:
            silent.machine.put("/etc/san/stonith.conf", told)
        else:
            silent.machine.run("mkdir", "/etc/san/stonith.conf")
        silent.start()
        silent.looks(6)
        assert silent.called("san-fence") == []
        silent.machine.run("rm", "-r", "/etc/san/stonith.conf")
        assert until(lambda: silent.called("san-fence"))

    def test_not_before_heartbeat_had_its_time(self, watch, configured):
        configured(target("test", "one"))
        watch.start()
        assert until(lambda: "just begun" in watch.state()["waits"])
        assert watch.called("") == []
        watch.machine.call("start")
        assert until(watch.well)
        assert watch.state()["action"] is None

    def test_not_while_io_is_suspended(self, serving):
        serving.drbd(ALONE.replace("r-----", "s-----"))
        os.kill(serving.machine.tgtd, signal.SIGKILL)
        assert until(lambda: "suspended until DRBD" in serving.state()["waits"])
        assert serving.state()["action"] is None


class TestSlowLun:
    """A LUN that gives no block while its target takes logins: a disk that hangs, or is busy."""

    SLOW = 5
    """Seconds that it may last."""

    @pytest.fixture
    def lun(self, watch, configured):
        """The watch on a target whose LUN hangs while `hangs` is there; a restart ends that."""
        configured(target("test", "one"))
        hangs = watch.directory / "hangs"
        watch.program(
            "iscsi-target",
            f'#!/bin/sh\necho "iscsi-target $*" >> {watch.log}\n[ $1 = start ] || rm -f {hangs}\n',
        )
        watch.spawn(sys.executable, SLOW_TARGET, hangs)
        watch.configure(**QUICK, slow=self.SLOW)
        watch.start()
        assert until(lambda: watch.state()["role"] == "serving" and watch.well())
        watch.hangs = hangs
        return watch

    def test_one_that_stays_so_is_mended_by_a_restart(self, lun):
        began = time.monotonic()
        lun.hangs.touch()
        assert until(lambda: "no answer within 1 s" in str(lun.ill())), "it is told at once"
        assert lun.called("iscsi-target") == []
        assert until(lambda: lun.called("iscsi-target"), 3 * self.SLOW)
        assert time.monotonic() - began >= self.SLOW
        assert until(lun.well, 20)
        assert lun.called("iscsi-target") == ["iscsi-target stop", "iscsi-target start"]
        assert lun.journal().count("mend in place: iscsi-target stop, iscsi-target start") == 1
        assert lun.called("hb_standby") == []

    def test_a_shorter_hang_is_told_and_left_alone(self, lun):
        lun.hangs.touch()
        assert until(lambda: "no answer within 1 s" in str(lun.ill()))
        time.sleep(self.SLOW / 3)  # what a busy disk takes
        lun.hangs.unlink()
        assert until(lun.well)
        lun.looks(2 * self.SLOW)
        assert lun.called("iscsi-target") == []
        assert lun.state()["action"] is None
        assert "well again" in lun.journal()

    def test_two_short_hangs_are_not_a_long_one(self, lun):
        for _ in range(2):
            lun.hangs.touch()
            assert until(lun.ill)
            time.sleep(self.SLOW / 3)
            lun.hangs.unlink()
            assert until(lun.well)
        assert lun.called("iscsi-target") == []


class TestMoving:
    """Where mending in place didn't help."""

    @pytest.fixture
    def failing(self, serving):
        """The target can't be started any more."""
        serving.speed(PAUSE_S=1)
        serving.program(
            "iscsi-target", f'#!/bin/sh\necho "iscsi-target $*" >> {serving.log}\nexit 1\n'
        )
        return serving

    def test_to_a_standby_that_is_whole(self, failing):
        os.kill(failing.machine.tgtd, signal.SIGKILL)
        assert until(lambda: failing.called("hb_standby"), 20)
        assert failing.called("hb_standby") == ["hb_standby all"]
        assert failing.called("iscsi-target") == ["iscsi-target stop"]
        assert "no connection" in failing.state()["move"]["say"]
        failing.looks()
        failing.drbd(STANDING_BY)
        assert until(lambda: failing.state()["role"] == "standing by")
        assert failing.called("hb_standby") == ["hb_standby all"]

    @pytest.mark.parametrize(
        ("drbd", "peer", "why"),
        [
            (ALONE, "active", "DRBD r0 is WFConnection"),
            (SERVING.replace("/UpToDate", "/Inconsistent"), "active", "Inconsistent"),
            (SERVING, "dead", "Heartbeat calls peer dead"),
        ],
    )
    def test_never_to_one_that_is_not(self, failing, drbd, peer, why):
        failing.drbd(drbd)
        failing.says(rscstatus="all", nodestatus=peer)
        os.kill(failing.machine.tgtd, signal.SIGKILL)
        assert until(lambda: f"no move: {why}" in failing.journal() or why in failing.journal(), 20)
        assert until(lambda: len(failing.called("iscsi-target")) > 1, 20), "it keeps trying"
        assert failing.called("hb_standby") == []

    def test_the_limit_outlives_the_watch(self, failing):
        lasting = failing.directory / "lib/watch.moves"
        lasting.write_text(f"{int(time.time()) - 60} a portal was gone\n")
        failing.watch.kill()
        failing.begin()
        assert until(lambda: failing.state()["limits"]["moved"] == 1)
        assert until(failing.well)
        os.kill(failing.machine.tgtd, signal.SIGKILL)
        assert until(lambda: "it moved 1 times within 1800 s" in failing.journal(), 20)
        assert failing.called("hb_standby") == []
        assert failing.state()["limits"]["moved"] == 1

    @pytest.fixture
    def wired(self, watch, configured):
        """Two portals on cables of their own, which `pull` pulls out."""
        configured(target("test", "one"))
        watch.configure(**QUICK, cut=0, start=0)
        conf = watch.machine.run("cat", "/etc/san/watch.conf").stdout
        for end, address in (("w2", "192.168.21.1/24"), ("w3", "192.168.22.1/24")):
            watch.machine.run("ip", "link", "add", end, "type", "veth", "peer", f"{end}x")
            watch.machine.run("ip", "link", "set", end, "up")
            watch.machine.run("ip", "link", "set", f"{end}x", "up")
            watch.machine.run("ip", "address", "add", address, "dev", end)
        conf = conf.replace("192.168.1.1/24/lo", "192.168.21.1/24/w2")
        conf = conf.replace("192.168.2.1/24/lo", "192.168.22.1/24/w3")
        watch.machine.put("/etc/san/watch.conf", conf)
        watch.start()
        assert until(lambda: watch.state()["checks"] and watch.well())
        yield watch
        for end in ("w2", "w3"):
            watch.machine.run("ip", "link", "delete", end)

    def pull(self, watch, end):
        watch.machine.run("ip", "link", "set", f"{end}x", "down")

    def test_not_when_one_cable_is_out(self, wired):
        self.pull(wired, "w2")
        assert until(lambda: wired.ill() == {"link w2": "without carrier"})
        wired.looks(5)
        assert wired.state()["action"] is None
        assert "link w2: without carrier" in wired.journal()

    def test_when_both_cables_are_out(self, wired):
        self.pull(wired, "w2")
        self.pull(wired, "w3")
        assert until(lambda: wired.called("hb_standby"))
        assert "link w3: without carrier" in wired.state()["move"]["say"]

    def test_both_cables_out_and_nowhere_to_go(self, wired):
        wired.drbd(ALONE)
        self.pull(wired, "w2")
        self.pull(wired, "w3")
        assert until(lambda: "no link to the clients has carrier" in wired.state()["waits"])
        assert wired.called("hb_standby") == []

    def test_a_link_that_was_set_down_is_set_up_by_its_portal(self, wired):
        wired.machine.run("ip", "link", "set", "w2", "down")
        assert until(lambda: wired.called("portal"))
        assert wired.called("portal")[0] == "portal 192.168.21.1/24/w2 start"


class TestStandingAlone:
    """DRBD gave the connection up, and prints no protocol then."""

    ALONE = SERVING.replace("cs:Connected", "cs:StandAlone").replace(" C r", "   r")

    @pytest.fixture
    def alone(self, watch, configured):
        configured(target("test", "one"))
        watch.speed(PAUSE_S=0.5)
        assert self.ALONE != SERVING
        watch.drbd(self.ALONE)
        return watch

    def test_it_asks_for_the_connection_again_with_growing_pauses(self, alone):
        alone.start()
        assert until(lambda: len(alone.called("drbdadm")) == 3, 20)
        assert set(alone.called("drbdadm")) == {"drbdadm connect r0"}
        assert alone.state()["role"] == "serving"

    def test_not_what_a_run_has_cut(self, alone):
        run = alone.spawn("/bin/sleep", "600")
        started = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()[19]
        (alone.directory / "run.lock").write_text(f"{run.pid} {started}\nsomebody\n")
        self.waits_for(alone, run)

    def test_nor_while_a_command_of_a_run_works_that_has_ended(self, alone):
        lock = alone.directory / "run.lock"
        lock.write_text("4194305 1\nsomebody\n")
        command = alone.spawn("/usr/bin/flock", "--shared", "--no-fork", lock, "/bin/sleep", "600")
        self.waits_for(alone, command)

    def waits_for(self, alone, process):
        alone.start()
        time.sleep(3)  # several pauses
        assert alone.called("drbdadm") == []
        process.kill()
        process.wait()
        assert until(lambda: alone.called("drbdadm"), 10)


class TestTakingOver:
    """A takeover that failed, and that nobody tries again."""

    @pytest.fixture
    def idle(self, watch, configured):
        configured(target("test", "one"))
        watch.speed(PAUSE_S=1)
        watch.drbd(ORPHAN)
        watch.says(rscstatus="all", nodestatus="dead")
        return watch

    def test_is_tried_again_with_a_limit(self, idle):
        idle.start()
        assert until(lambda: "that is the limit" in idle.state()["waits"], 20)
        take = "ResourceManager takegroup drbddisk::r0"  # a group's key is its first resource
        assert idle.called("ResourceManager") == [take] * 2

    @pytest.mark.parametrize(
        ("drbd", "rscstatus", "nodestatus", "why"),
        [
            (ORPHAN.replace("UpToDate/", "Outdated/"), "all", "dead", "Outdated here"),
            (ORPHAN, "transition", "dead", "resources move"),
            (ORPHAN, "none", "active", "peer is active"),
        ],
    )
    def test_not_where_it_may_not(self, idle, drbd, rscstatus, nodestatus, why):
        idle.drbd(drbd)
        idle.says(rscstatus=rscstatus, nodestatus=nodestatus)
        idle.start()
        assert until(lambda: why in idle.state()["waits"], 20)
        idle.looks()
        assert idle.called("ResourceManager") == []

    def test_not_without_heartbeat(self, idle):
        idle.start(heartbeat=False)
        idle.looks(4)
        assert idle.called("") == []

    def test_not_beside_a_peer_that_serves(self, idle):
        idle.drbd(STANDING_BY)
        idle.start()
        idle.looks(4)
        assert idle.called("") == []
        assert idle.state()["role"] == "standing by"


def test_a_full_disk_keeps_it_from_nothing(serving):
    serving.machine.run("mkdir", "/run/san/watch.json.new")
    before = serving.machine.tgtd
    os.kill(before, signal.SIGKILL)
    assert until(lambda: "well again" in serving.journal(), 20)
    assert serving.machine.tgtd != before
    assert serving.journal().count("watch.json can't be written") == 1
    serving.machine.run("rmdir", "/run/san/watch.json.new")
    assert until(serving.well)


def test_a_configuration_without_a_figure_is_told(watch, configured):
    configured(target("test", "one"))
    text = watch.machine.run("cat", "/etc/san/watch.conf").stdout
    watch.machine.put("/etc/san/watch.conf", re.sub("(?m)^(slow|cut) .*\n", "", text))
    watch.start()
    assert "/etc/san/watch.conf says nothing of: slow cut" in watch.state()["waits"]


def test_a_configuration_that_cannot_be_read_is_told(watch):
    watch.machine.put("/etc/san/watch.conf", "nonsense\n")
    watch.start()
    assert watch.state()["role"] == "unknown"
    assert "/etc/san/watch.conf, line 1: not understood" in watch.state()["waits"]
