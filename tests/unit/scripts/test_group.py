"""The programs in place of Heartbeat's ResourceManager and harc, on a node made of files."""

import os
import select
import signal
import subprocess
from pathlib import Path

import attrs
import pytest

from san.render.template import raw

DOCTORED = (
    *("/etc/", "/run/san", "/usr/share/heartbeat", "/usr/local/", "/var/lib/heartbeat"),
    *("/dev/log", "/proc/drbd", "/proc/sys/kernel/hostname"),
)

# Each call is a line of `calls`: the script, its words, and whether a program was executed for it.
OURS = """\
#!/usr/bin/perl
# {name}: one of the resource scripts.
# Written by pyinfra-san.
my $line = join ' ', '{name}', @ARGV;
open my $calls, '>>', 'ROOT/calls';
print {{$calls}} "$line\\n";
close $calls;
if ($ARGV[-1] eq 'status') {{ print -e "ROOT/running.{name}" ? "running\\n" : "stopped\\n" }}
exit(-e "ROOT/fails.{name}.$ARGV[-1]" ? 1 : 0);
"""
THEIRS = """\
#!/bin/sh
echo "{name} $*" >> ROOT/calls
for last; do :; done
[ "$last" != status ] || {{ [ -e ROOT/running.{name} ] && echo running || echo stopped; }}
[ ! -e ROOT/fails.{name}.$last ]
"""
HARESOURCES = """\
# the group
Weasel disk::r0 group::storage \\
  10.0.0.1/24/eth2 target
otter mail  # another
"""


@attrs.define
class Node:
    """A node, by the directory that stands for its root."""

    root: Path
    end: int = -1
    """Of a pipe that the manager's processes hold."""

    def write(self, path, text, mode=0o644):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        for prefix in DOCTORED if "lib/san" in path or "harc" in path or "Manager" in path else ():
            text = text.replace(f"'{prefix}", f"'{self.root}{prefix}")
        place.write_text(text.replace("ROOT", str(self.root)))
        place.chmod(mode)

    def script(self, name, text):
        self.write(f"etc/ha.d/resource.d/{name}", text.format(name=name), 0o755)

    def manager(self, *words):
        program = self.root / "usr/share/heartbeat/ResourceManager"
        self.end, kept = os.pipe()
        done = subprocess.run(
            [program, *words], capture_output=True, text=True, check=False, pass_fds=[kept]
        )
        os.close(kept)
        return done

    def over(self, limit=15):
        """Wait until what the manager has left behind has ended, too."""
        assert select.select([self.end], [], [], limit)[0], "it goes on"
        os.close(self.end)

    def serves(self):
        """DRBD is Primary here."""
        line = " 0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----\n"
        self.write("proc/drbd", line)

    def harc(self, message, **environment):
        return subprocess.run(
            [self.root / "etc/ha.d/harc", message],
            env={"HA_CURHOST": "otter", **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def calls(self):
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def mark(self, name):
        (self.root / name).touch()


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path)
    module = raw("group/Group.pm").replace("$STANDBY_S   = 30", "$STANDBY_S   = 0")
    made.write(
        "usr/local/lib/san/Group.pm",
        module.replace("undef, undef, undef, 1;", "undef, undef, undef, 0;"),
    )
    made.write("usr/local/lib/san/Sight.pm", "package Sight; sub movers { } 1;\n")
    made.write("usr/share/heartbeat/ResourceManager", raw("group/ResourceManager"), 0o755)
    made.write("etc/ha.d/harc", raw("group/harc"), 0o755)
    made.write("etc/ha.d/haresources", HARESOURCES)
    made.write("proc/sys/kernel/hostname", "otter\n")
    for program in (
        "usr/share/heartbeat/hb_standby",
        "usr/local/sbin/san-fence",
        "etc/ha.d/rc.d/ask",
    ):
        made.write(program, f'#!/bin/sh\necho "{Path(program).name} $*" >> ROOT/calls\n', 0o755)
    made.write(
        "usr/share/heartbeat/ResourceManager.distrib",
        '#!/bin/sh\necho "stock $*" >> ROOT/calls\n',
        0o755,
    )
    for name in ("disk", "group", "target"):
        made.script(name, OURS)
    for name in ("IPaddr", "mail"):
        made.script(name, THEIRS)
    return made


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("listkeys", "weasel"), ["disk::r0"]),
        (("listkeys", "otter"), ["mail"]),
        (("listkeys", "badger"), []),
        (("listkeys", "wea"), []),
        (("allkeys",), ["disk::r0", "mail"]),
        (("ourkeys",), ["mail"]),
        (("otherkeys",), ["disk::r0"]),
        (("listkeys", ".*"), ["disk::r0", "mail"]),
    ],
)
def test_keys(node, words, keys):
    """As Heartbeat's own has it: comments, continued lines, a node's name in any case."""
    assert node.manager(*words).stdout.splitlines() == keys


def test_a_group_is_started_in_order(node):
    """Ours without a question first, since its start is repeatable; any other is asked."""
    assert node.manager("takegroup", "disk::r0").returncode == 0
    assert node.calls == [
        "disk r0 start",
        "group storage start",
        "IPaddr 10.0.0.1/24/eth2 status",
        "IPaddr 10.0.0.1/24/eth2 start",
        "target start",
    ]


def test_what_runs_is_not_started_again(node):
    node.mark("running.IPaddr")
    node.manager("takegroup", "disk::r0")
    assert "IPaddr 10.0.0.1/24/eth2 start" not in node.calls


def test_what_a_status_leaves_behind_is_not_waited_for(node):
    """It may hold the output for as long as it lives."""
    leaves = "[ $2 = start ] && exit 1\necho running\nsetsid sleep 600 &\necho $! >ROOT/left\n"
    node.write("etc/ha.d/resource.d/IPaddr", f"#!/bin/sh\n{leaves}", 0o755)
    assert node.manager("takegroup", "disk::r0").returncode == 0
    os.kill(int((node.root / "left").read_text()), signal.SIGKILL)  # it lives


def test_what_runs_on_a_node_that_serves_is_not_started_again(node):
    """Heartbeat may call a dead peer dead again; a start that fails costs all that runs."""
    node.serves()
    for name in ("disk", "group", "IPaddr", "target"):
        node.mark(f"running.{name}")
    assert node.manager("takegroup", "disk::r0").returncode == 0
    assert not any(call.endswith("start") for call in node.calls)


def test_an_unknown_group_is_an_error(node):
    assert node.manager("takegroup", "drbddisk::r0").returncode != 0


def test_a_script_of_ours_is_not_executed(node):
    """It runs in a fork of the program: what a takeover executes is what clients wait for."""
    head = "#!/usr/bin/perl\n#\n# Written by pyinfra-san.\n"
    command = "open my $c, '<', '/proc/self/cmdline'; open my $o, '>', 'ROOT/line';"
    node.write("etc/ha.d/resource.d/target", f"{head}{command} print {{$o}} <$c>; exit 0;\n", 0o755)
    node.manager("takegroup", "disk::r0")
    assert "takegroup" in (node.root / "line").read_text()


def test_neighbours_with_one_script_start_at_once(node):
    """Each waits for the other: what the portals ask the network is waited for once."""
    node.write("etc/ha.d/haresources", "weasel disk::r0 disk::r1 target\n")
    wait = """
open my $mine, '>', "ROOT/begun.$ARGV[0]"; close $mine;
my $both = sub { -e 'ROOT/begun.r0' && -e 'ROOT/begun.r1' };
for (1 .. 100) { last if $both->(); select undef, undef, undef, 0.05 }
exit !$both->();
"""
    head = "#!/usr/bin/perl\n#\n# Written by pyinfra-san.\n"
    node.write("etc/ha.d/resource.d/disk", f"{head}{wait}", 0o755)
    assert node.manager("takegroup", "disk::r0").returncode == 0
    assert node.calls == ["target start"]


def test_a_failed_start_gives_all_up_and_asks_the_peer(node):
    node.mark("fails.group.start")
    assert node.manager("takegroup", "disk::r0").returncode != 0
    assert node.calls[:2] == ["disk r0 start", "group storage start"]
    assert [call for call in node.calls if call.endswith("stop")] == [
        "target stop",
        "IPaddr 10.0.0.1/24/eth2 stop",
        "group storage stop",
        "disk r0 stop",
    ]
    node.over()
    assert node.calls[-1] == "hb_standby foreign"


def test_the_peer_is_not_asked_for_what_is_served_here_meanwhile(node):
    """The watch has taken the group once more."""
    node.mark("fails.group.start")
    node.serves()
    node.manager("takegroup", "disk::r0")
    node.over()
    assert node.calls[-1] == "disk r0 stop"


def test_the_peer_is_not_asked_while_resources_move(node):
    """What the watch takes once more may come to serve."""
    node.write("usr/local/lib/san/Sight.pm", "package Sight; sub movers { -e 'ROOT/moves' } 1;\n")
    node.mark("moves")
    node.mark("fails.group.start")
    node.manager("takegroup", "disk::r0")
    with pytest.raises(AssertionError):
        node.over(2)
    (node.root / "moves").unlink()
    node.over()
    assert node.calls[-1] == "hb_standby foreign"


def test_a_stop_is_tried_again(node):
    node.mark("fails.target.stop")
    node.manager("givegroup", "disk::r0")
    assert node.calls.count("target stop") == 11
    assert node.calls[-1] == "disk r0 stop"
    assert not any("san-fence" in call for call in node.calls), "it isn't running, by its own word"


def test_what_can_not_be_stopped_resets_the_node(node):
    """It may go on writing beside the peer."""
    node.mark("fails.group.stop")
    node.mark("running.group")
    node.manager("givegroup", "disk::r0")
    assert node.calls[-1] == "san-fence reset group::storage can't be stopped"
    assert "disk r0 stop" not in node.calls


class TestAScriptThatHangs:
    """It is killed, and has failed."""

    @pytest.fixture
    def node(self, node):
        library = node.root / "usr/local/lib/san/Group.pm"
        library.write_text(library.read_text().replace("$LIMIT_S     = 90", "$LIMIT_S = 1"))
        head = "#!/usr/bin/perl\n#\n# Written by pyinfra-san.\n"
        hangs = "exec 'sleep', 60 if -e \"ROOT/hangs.$ARGV[-1]\"; exit 0;\n"
        node.write("etc/ha.d/resource.d/group", f"{head}{hangs}", 0o755)
        return node

    def test_at_its_start(self, node):
        node.mark("hangs.start")
        assert node.manager("takegroup", "disk::r0").returncode != 0
        assert [call for call in node.calls if "disk" in call] == ["disk r0 start", "disk r0 stop"]

    def test_with_what_it_has_started(self, node):
        head = "#!/usr/bin/perl\n#\n# Written by pyinfra-san.\n"
        starts = (
            "exit 0 if $ARGV[-1] ne 'start'; my $child = fork // 0; exec 'sleep', 60 if !$child;\n"
            "open my $told, '>', 'ROOT/child'; syswrite $told, $child; waitpid $child, 0;\n"
        )
        node.write("etc/ha.d/resource.d/group", f"{head}{starts}", 0o755)
        assert node.manager("takegroup", "disk::r0").returncode != 0
        node.over()  # the child holds the pipe, too

    def test_at_its_stop(self, node):
        """And nobody can say that it doesn't run."""
        node.mark("hangs.stop")
        node.mark("hangs.status")
        node.manager("givegroup", "disk::r0")
        assert node.calls[-1] == "san-fence reset group::storage can't be stopped"


def test_status(node):
    assert node.manager("status", "disk::r0").returncode == 1
    node.mark("running.disk")
    assert node.manager("status", "disk::r0").returncode == 0


def test_a_missing_script_fails(node):
    (node.root / "etc/ha.d/resource.d/target").unlink()
    assert node.manager("takegroup", "disk::r0").returncode != 0
    assert "disk r0 stop" in node.calls


def test_what_is_rare_is_left_to_heartbeats_own(node):
    node.manager("verifyallidle")
    assert node.calls == ["stock verifyallidle"]


def test_without_heartbeats_own_it_fails(node):
    (node.root / "usr/share/heartbeat/ResourceManager.distrib").unlink()
    assert node.manager("verifyallidle").returncode == 1


def test_a_call_with_more_words_is_taken_by_its_key(node):
    """Heartbeat hands on all that it was told of a group."""
    node.manager("givegroup", "disk::r0", "group::storage")
    assert node.calls[-1] == "disk r0 stop"


class TestHarc:
    """A message of the cluster."""

    DEAD = {"HA_st": "dead", "HA_src": "weasel", "HA_NICEFAILBACK": "yes"}  # noqa: RUF012

    def told(self, node, **environment):
        """What Heartbeat is told at the end."""
        fifo = node.root / "var/lib/heartbeat/fifo"
        fifo.parent.mkdir(parents=True)
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert node.harc("status", **environment).returncode == 0
            return os.read(reader, 4096).decode()
        finally:
            os.close(reader)

    def test_a_dead_peer(self, node):
        told = self.told(node, **self.DEAD)
        assert told == ">>>\nt=resource\nrsc_hold=foreign\ninfo=mach_down\n<<<\n"
        assert node.calls[0] == "disk r0 start"
        assert node.calls[-1] == "target start"

    def test_one_that_is_heard_again_may_be_forgotten_anew(self, node):
        node.write("run/san/fence/forgotten", "")
        self.told(node, **(self.DEAD | {"HA_st": "active"}))
        assert not (node.root / "run/san/fence/forgotten").exists()
        assert node.calls == []

    @pytest.mark.parametrize(
        "change",
        [{"HA_src": "otter"}, {"HA_st": "active"}, {"HA_info": "ping"}],
    )
    def test_nothing_is_taken(self, node, change):
        self.told(node, **(self.DEAD | change))
        assert node.calls == []

    def test_another_message_runs_its_script(self, node):
        assert node.harc("ask").returncode == 0
        assert node.calls == ["ask ask"]

    def test_no_path_is_run(self, node):
        assert node.harc("../../bin/sh").returncode == 1
