"""san-verify: when a comparison begins, when it counts, and what is left of it."""

import subprocess
import time

import attrs
import pytest

from san.render.template import raw
from san.render.verify import verify_files

WHOLE = "cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----"
DONE = "6,900,77,-;block drbd0: Online verify done (total 5 sec; paused 0 sec; 204 K/sec)\n"
DRBDADM = """\
#!/bin/sh
case $1 in
sh-minor) case $2 in r0) echo 0 ;; r1) echo 1 ;; *) exit 1 ;; esac ;;
verify)
    echo "$2" >>ROOT/verified
    if [ -e ROOT/then ]; then cp ROOT/then ROOT/proc; fi
    if [ -e ROOT/says ]; then cat ROOT/says >>ROOT/kmsg; fi
    exit $(cat ROOT/exits) ;;
esac
"""


def proc(*devices, oos=(0, 0)):
    """/proc/drbd."""
    lines = ["version: 8.4.11 (api:1/proto:86-101)", "srcversion: 98C5A1A8AAA5A5FDCD5A4AD"]
    for minor, state in enumerate(devices):
        lines += [f" {minor}: {state}", f"    ns:0 nr:0 dw:0 dr:0 ep:1 wo:f oos:{oos[minor]}"]
    return "\n".join(lines) + "\n"


@attrs.define
class Script:
    """The program, its drbdadm and its kernel."""

    root: object

    def write(self, **files):
        for name, text in files.items():
            (self.root / name).write_text(text)

    def call(self, *names):
        return subprocess.run(
            ["perl", f"-I{self.root}", self.root / "san-verify", *names],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @property
    def verified(self):
        there = self.root / "verified"
        return there.read_text().split() if there.exists() else []

    @property
    def recorded(self):
        there = self.root / "lib" / "verify"
        lines = there.read_text().splitlines() if there.exists() else []
        return {name: int(kib) for name, at, kib in map(str.split, lines) if float(at) > 0}


@pytest.fixture
def script(tmp_path):
    text = raw("verify/san-verify").replace("'/sbin/drbdadm'", f"'{tmp_path}/drbdadm'")
    text = text.replace("/dev/kmsg", f"{tmp_path}/kmsg").replace("$PAUSE_S = 5", "$PAUSE_S = 0.01")
    text = text.replace("/var/lib/san", f"{tmp_path}/lib").replace("/usr/local/lib/san", "/none")
    sight = raw("watch/Sight.pm").replace("/proc/drbd", f"{tmp_path}/proc")
    files = {
        "san-verify": text,
        "Sight.pm": sight,
        "drbdadm": DRBDADM.replace("ROOT", f"{tmp_path}"),
    }
    made = Script(tmp_path)
    made.write(**files, proc=proc(WHOLE), kmsg=f"an older one: {DONE}", says=DONE, exits="0\n")
    (tmp_path / "drbdadm").chmod(0o755)
    return made


def test_every_block_is_the_same(script):
    began = time.time()
    done = script.call("r0")
    assert (done.returncode, done.stdout) == (0, "r0: every block is the same\n"), done.stderr
    assert script.recorded == {"r0": 0}
    at = float((script.root / "lib" / "verify").read_text().split()[1])
    assert began - 1 <= at <= time.time()


def test_what_differs_is_told_and_recorded(script):
    script.write(then=proc(WHOLE, oos=(8, 0)))
    done = script.call("r0")
    assert (done.returncode, done.stdout) == (1, "r0: 8 KiB differ between the nodes\n")
    assert script.recorded == {"r0": 8}


@pytest.mark.parametrize(
    "state",
    [
        "cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----",
        "cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----",
        "cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----",
        "cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----",
        "cs:Connected ro:Primary/Secondary ds:Diskless/UpToDate C r-----",
        "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C s-----",
        "cs:VerifyS ro:Primary/Secondary ds:UpToDate/UpToDate C r-----",
        "cs:VerifyT ro:Primary/Secondary ds:UpToDate/UpToDate C r-----",
        "cs:Unconfigured",
    ],
)
@pytest.mark.parametrize("second", [False, True])
def test_nothing_is_compared_while_any_of_it_is_not_whole(script, state, second):
    """Of another resource, too: its resync has the disks and the network to itself."""
    script.write(proc=proc(WHOLE, state) if second else proc(state, WHOLE))
    done = script.call("r0", "r1")
    assert done.returncode == 0, done.stderr
    assert "r0 is not compared now" in done.stdout
    assert "r1 is not compared now" in done.stdout
    assert (script.verified, script.recorded) == ([], {})


def test_a_comparison_whose_connection_broke_does_not_count(script):
    """It is connected again before anybody looks, and every block may be the same."""
    script.write(says="6,901,78,-;drbd r0: conn( VerifyS -> NetworkFailure )\n")
    script.call("r0")
    assert script.recorded == {}
    script.write(says=DONE.replace("drbd0", "drbd10"))
    done = script.call("r0")
    assert "the comparison of r0 has ended before its end" in done.stderr
    assert (done.returncode, script.recorded) == (1, {})


def test_one_that_cannot_begin_leaves_the_next(script):
    script.write(proc=proc(WHOLE, WHOLE), exits="17\n")
    done = script.call("r0", "r1")
    assert "drbdadm verify r0 fails" in done.stderr
    assert script.verified == ["r0", "r1"]
    assert (done.returncode, script.recorded) == (1, {})


def test_what_was_recorded_of_the_others_stays(script):
    (script.root / "lib").mkdir()
    (script.root / "lib" / "verify").write_text("r00 1795891203 4\nr0 1795891203 8\n")
    assert script.call("r0").returncode == 0
    assert script.recorded == {"r00": 4, "r0": 0}


@pytest.mark.parametrize("names", [(), ("r0; reboot",), ("-v",)])
def test_wrong_call(script, names):
    assert script.call(*names).returncode == 2


def test_each_node_has_a_day_of_its_own(cluster):
    timers = [
        next(file.content for file in verify_files(cluster, node.name) if ".timer" in file.path)
        for node in cluster.nodes
    ]
    days = {line for timer in timers for line in timer.splitlines() if "OnCalendar" in line}
    assert days == {"OnCalendar=Sat 02:00", "OnCalendar=Wed 02:00"}
