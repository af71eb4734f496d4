"""san-watch against the real tgtd: what it sees, what it does about it, and what it leaves alone."""

import json
import os
import signal
import subprocess
import time
from hashlib import md5

import pytest
from private_machine import run, target

from san.model import Acl
from san.render.template import TEMPLATES

TEST = "iqn.2009-02.com.example:test"
SERVING = " 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n"
ALONE = " 0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----\n"
STANDING_BY = " 0: cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----\n"
ORPHAN = " 0: cs:WFConnection ro:Secondary/Unknown ds:UpToDate/DUnknown C r-----\n"
NOTICED = 10
"""Seconds within which a failure is to be noticed."""

CONF = """\
node {node}
node peer
every 1
answer 2
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
        for name in ("hb_standby", "ResourceManager"):
            self.program(name, f'#!/bin/sh\necho "{name} $*" >> {self.log}\n')
        self.drbd(SERVING)
        machine.put("/etc/san/watch.conf", CONF.format(node=os.uname().nodename))
        machine.run("sh", "-c", "rm -f /run/san/watch.* /var/lib/san/watch.moves")

    def place(self, name):
        """The program, with the places of this machine instead of a node's."""
        text = (TEMPLATES / "watch" / name).read_text()
        for real in ("/usr/local/lib/san", "/etc/ha.d/resource.d", "/usr/share/heartbeat"):
            text = text.replace(f"'{real}", f"'{self.directory}")
        for real in ("/usr/bin/cl_status", "/proc/drbd", "/run/heartbeat.pid", "/sys/block"):
            text = text.replace(f"'{real}'", f"'{self.directory}/{real.rpartition('/')[2]}'")
        text = text.replace("/var/lib/san", str(self.directory / "lib"))
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def program(self, name, text):
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def says(self, **answers):
        cases = "".join(f"{key}) echo {value};;\n" for key, value in answers.items())
        self.program("cl_status", f"#!/bin/sh\necho \"cl_status $*\" >> {self.log}\ncase $1 in\n{cases}esac\n")

    def drbd(self, line):
        new = self.directory / "drbd.new"
        new.write_text(f"version: 8.4.11 (api:1/proto:86-101)\n{line}")
        new.rename(self.directory / "drbd")

    def start(self, heartbeat=True):
        if heartbeat:
            (self.directory / "heartbeat").symlink_to("/bin/sleep")
            beat = self.spawn(self.directory / "heartbeat", "600")
            (self.directory / "heartbeat.pid").write_text(f"      {beat.pid}\n")
        self.watch = self.spawn(self.directory / "san-watch", stdout=(self.directory / "journal").open("a"))
        assert until(lambda: self.state())

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
            assert until(lambda: self.state()["now"] > before)

    def well(self):
        state = self.state()
        return not any(each["fails"] for each in state["checks"])

    def speed(self, **constants):
        """Other limits than a node has, by the constant's name."""
        program = self.directory / "san-watch"
        text = program.read_text()
        for name, value in constants.items():
            before, rest = text.split(f"${name} ", 1)
            head, tail = rest.split("=", 1)
            text = f"{before}${name} {head}= {value};{tail.partition(';')[2]}"
        program.write_text(text)


@pytest.fixture
def watch(machine, tmp_path):
    directory = tmp_path / "node"
    directory.mkdir()
    one = Watch(machine, directory)
    yield one
    one.stop()
    machine.run("sh", "-c", "ip address add 192.168.2.1/24 dev lo 2>/dev/null; ip link set lo up; rm -f /run/san/watch.*")


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


def test_a_hung_target_is_noticed_in_time_and_started_anew(serving):
    before = serving.machine.tgtd
    os.kill(before, signal.SIGSTOP)
    assert until(lambda: "no answer" in str(serving.ill()))
    assert until(serving.well, 30)
    assert serving.machine.tgtd != before
