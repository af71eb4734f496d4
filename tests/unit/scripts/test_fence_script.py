"""san-fence on two nodes made of files; Heartbeat is a thread that carries their messages.

What DRBD and Heartbeat really do with its answers, the lab's drills show.
"""

import os
import re
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

import attrs
import pytest

from san.render.template import raw

DOCTORED = (
    "/usr/lib/stonith/",
    "/etc/san/",
    "/run/san",
    "/var/lib/",
    "/etc/ha.d/",
    "/usr/libexec/heartbeat/",
    "/usr/local/lib/san",
    "/proc/",
)
DOCTORED += ("/sys/class/net", "/dev/kmsg", "/dev/log")
OLD, NEW, ZERO = "46B6A1CD4953160E", "9E5A4DBF771840E4", "0" * 16

PROGRAMS = {
    "bin/cl_status": '[ "$1" = rscstatus ] && exec cat ROOT/holds; exec cat ROOT/peer',
    "bin/uname": "cat ROOT/name",
    "bin/drbdadm": """\
echo "$*" >> ROOT/drbdadm.calls
case $1 in
get-gi) cat ROOT/gi ;;
sh-minor) echo 0 ;;
outdate)
    grep -q ro:Secondary ROOT/proc/drbd || exit 17
    sed -i 's,ds:UpToDate/,ds:Outdated/,' ROOT/proc/drbd ;;
esac""",
    "usr/lib/stonith/plugins/external/san": 'echo "$*" >> ROOT/san.calls; [ -e ROOT/shoots ]',
    "usr/libexec/heartbeat/heartbeat": 'echo "$*" >> ROOT/heartbeat.calls',
}
PORTAL = """\
#!/usr/bin/perl
open my $rivals, '<', 'ROOT/rivals';
exit 2 if $ARGV[1] ne 'rival';
exit((grep { $_ eq "$ARGV[0]\\n" } <$rivals>) ? 0 : 3);
"""
PORTALS = ("192.168.1.1/24/eth2", "192.168.2.1/24/eth3")


@attrs.define
class Node:
    """A node, by the directory that stands for its root."""

    name: str
    root: Path
    began: list[int] = attrs.Factory(list)
    """A pipe's end for each call: it ends when all processes of the call have."""

    def write(self, path, text):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def drbd(self, connection, role, disk="UpToDate"):
        line = f" 0: cs:{connection} ro:{role}/Unknown ds:{disk}/DUnknown C r-----"
        self.write("proc/drbd", f"version: 8.4.11 (api:1/proto:86-101)\n{line}\n")

    def generation(self, current, bitmap=ZERO):
        self.write("gi", f"{current}:{bitmap}:{ZERO}:{ZERO}:1:1:0:1:0:0:0\n")

    def call(self, *words, **environment):
        end, kept = os.pipe()
        with (self.root / "stderr").open("a") as said:
            process = subprocess.Popen(
                [self.root / "san-fence", *words],
                env={"PATH": "/usr/bin:/bin", **environment},
                stderr=said,
                pass_fds=[kept],
            )
        os.close(kept)
        self.began.append(end)
        return process

    def over(self, limit=15):
        """Wait until everything has ended that the calls have started."""
        for end in self.began:
            assert select.select([end], [], [], limit)[0], "it goes on"

    def looks(self, more=2):
        """Wait until it has looked at DRBD, before Heartbeat is to forget, so many times more."""
        before = len(self.calls("looks"))
        until(lambda: len(self.calls("looks")) >= before + more)

    def fence(self):
        peer = "otter" if self.name == "weasel" else "weasel"
        return self.call("fence-peer", DRBD_RESOURCE="r0", DRBD_MINOR="0", DRBD_PEER=peer)

    def fenced(self, limit=15):
        """What DRBD gets; None while the device's I/O still waits."""
        process = self.fence()
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    @property
    def disk(self):
        return re.search(r"ds:(\w+)", (self.root / "proc/drbd").read_text())[1]

    @property
    def reset(self):
        return (self.root / "proc/sysrq-trigger").read_text() == "b"

    def calls(self, program):
        path = self.root / f"{program}.calls"
        return path.read_text().splitlines() if path.exists() else []


def made(name, directory):
    node = Node(name, directory / name)
    for portal in PORTALS:
        node.write(f"sys/class/net/{portal.split('/')[-1]}/carrier", "1\n")
    node.write("etc/san/fence.conf", "".join(f"portal {portal}\n" for portal in PORTALS))
    for path, text in {
        "proc/uptime": "1000.00 1.00\n", "name": f"{name}\n", "rivals": "",
        "peer": "active\n", "holds": "all\n",
        "proc/sysrq-trigger": "", "dev/kmsg": "", "etc/ha.d/ha.cf": "", "run/san/mark": "",
        "var/lib/heartbeat/mark": "", "var/lib/san/mark": "",
    }.items():  # fmt: skip
        node.write(path, text)
    os.utime(node.root / "etc/ha.d/ha.cf", (1, 1))
    script = raw("fence/san-fence")
    for prefix in DOCTORED:
        script = script.replace(f"'{prefix}", f"'{node.root}{prefix}")
    script = script.replace('"/sys/class', f'"{node.root}/sys/class')
    script = script.replace("$ENV{PATH} = '", f"$ENV{{PATH}} = '{node.root}/bin:")
    texts = {path: f"#!/bin/sh\n{text}\n" for path, text in PROGRAMS.items()}
    texts["etc/ha.d/resource.d/portal"] = PORTAL
    texts = {path: text.replace("ROOT", str(node.root)) for path, text in texts.items()}
    for path, text in {"san-fence": script, **texts}.items():
        node.write(path, text)
        (node.root / path).chmod(0o755)
    # All tests share one /proc: another one's programs are none of a node's Heartbeat.
    sight = re.sub(r"@MOVERS = qw\(.+\)", "@MOVERS = ('nobody')", raw("watch/Sight.pm"))
    sight = sight.replace("'/proc/drbd'", f"'{node.root}/proc/drbd'")
    count = f"open my $looks, '>>', '{node.root}/looks.calls'; syswrite $looks, qq(look\\n);"
    sight = sight.replace("sub drbd {", f"sub drbd {{ {count}")
    node.write("usr/local/lib/san/Sight.pm", sight)
    os.mkfifo(node.root / "var/lib/heartbeat/fifo")
    return node


@attrs.define
class Links:
    """Heartbeat's links: a message of one node runs its script on the other."""

    nodes: dict[str, Node]
    cut: bool = False
    said: list[str] = attrs.Factory(list)

    def carry(self, source, stream):
        message = {}
        for line in stream:
            word = line.strip()
            if word == ">>>":
                message = {}
            elif word == "<<<":
                self.deliver(source, message)
            else:
                key, _, value = word.partition("=")
                message[key] = value

    def deliver(self, source, message):
        self.said.append(f"{source.name} {message.get('fword', message['t'])}")
        if self.cut:
            return
        for node in self.nodes.values():
            if node is not source:
                fields = {f"HA_{key}": value for key, value in message.items()}
                assert node.call(message["t"], **fields, HA_src=source.name).wait(10) == 0


@pytest.fixture
def links(tmp_path):
    """weasel is Primary and has lost its peer; both have the same data and hear each other."""
    nodes = {name: made(name, tmp_path) for name in ("weasel", "otter")}
    links = Links(nodes)
    threads, ends = [], []
    for node in nodes.values():
        node.generation(OLD)
        # Read and write, so that the reader meets no end before we close it.
        end = os.open(node.root / "var/lib/heartbeat/fifo", os.O_RDWR)
        ends.append(end)
        stream = os.fdopen(os.dup(end))
        thread = threading.Thread(target=links.carry, args=(node, stream), daemon=True)
        thread.start()
        threads.append(thread)
    nodes["weasel"].drbd("WFConnection", "Primary")
    nodes["otter"].drbd("WFConnection", "Secondary")
    yield links
    for end in [*ends, *nodes["weasel"].began, *nodes["otter"].began]:
        os.close(end)
    for node in nodes.values():
        said = node.root / "stderr"
        warned = said.read_text() if said.exists() else ""
        assert not re.search(r" at \S+ line \d+", warned), warned


@pytest.fixture
def weasel(links):
    return links.nodes["weasel"]


@pytest.fixture
def otter(links):
    return links.nodes["otter"]


def test_a_living_standby_outdates_itself_before_the_primary_goes_on(weasel, otter):
    assert weasel.fenced() == 4
    assert otter.disk == "Outdated"
    assert not weasel.reset


def test_a_primary_whose_peer_has_taken_over_resets_itself(weasel, otter):
    otter.drbd("WFConnection", "Primary")
    otter.generation(NEW, OLD)
    assert weasel.fenced(8) is None, "it never tells DRBD to go on"
    assert weasel.reset
    assert "otter has the newer data of r0" in (weasel.root / "var/lib/san/fence.last").read_text()


def test_a_peer_that_gives_up_its_newer_data_is_not_outdated(weasel, otter):
    """Heartbeat lets it give up when the frozen node returns; dopd would outdate it."""
    otter.drbd("WFConnection", "Secondary")
    otter.generation(NEW, OLD)
    assert weasel.fenced(8) is None
    assert otter.disk == "UpToDate"
    assert "outdate r0" not in otter.calls("drbdadm")
    assert weasel.reset


def test_both_changed_is_for_a_person(weasel, otter):
    weasel.generation("AAAAAAAAAAAAAAA0", OLD)
    otter.generation("BBBBBBBBBBBBBBB0", OLD)
    assert weasel.fenced(6) is None
    assert otter.disk == "UpToDate"
    assert not weasel.reset


@pytest.mark.parametrize(
    ("disk", "answer"), [("Inconsistent", 3), ("Outdated", 4), ("Diskless", 4)]
)
def test_a_peer_that_could_not_serve_anyway(weasel, otter, disk, answer):
    otter.drbd("WFConnection", "Secondary", disk)
    assert weasel.fenced() == answer


def test_a_dead_peer(weasel, links):
    links.cut = True
    weasel.write("peer", "dead\n")
    assert weasel.fenced() == 5
    assert links.said == [], "a dead one isn't asked"


def test_nothing_is_written_while_a_living_peer_does_not_answer(weasel, links):
    links.cut = True
    assert weasel.fenced(7) is None
    assert not weasel.reset
    assert "weasel san-fence-ask" in links.said


def test_it_goes_on_asking_until_it_knows(weasel, otter, links):
    links.cut = True
    process = weasel.fence()
    until(lambda: links.said)
    links.cut = False
    assert process.wait(15) == 4
    assert otter.disk == "Outdated"


def test_it_ends_when_the_peer_is_connected_again(weasel, links):
    links.cut = True
    process = weasel.fence()
    until(lambda: links.said)
    weasel.drbd("Connected", "Primary")
    assert process.wait(15) == 1


def test_a_dead_peer_that_answers_for_a_portal_is_alive(weasel, otter):
    """Heartbeat's links are cut, and it still serves."""
    otter.write("peer", "dead\n")
    otter.write("rivals", "192.168.2.1/24/eth3\n")
    assert otter.fenced() == 6, "DRBD outdates the one that was told so"
    weasel.write("peer", "dead\n")
    weasel.write("rivals", "192.168.2.1/24/eth3\n")
    assert weasel.fenced(6) is None
    assert weasel.reset


@pytest.mark.parametrize("fails", ["#!/usr/bin/perl\nexit 1;\n", "#!/bin/sh\nexit 1\n", "nonsense"])
def test_a_portal_that_can_not_be_asked_for_is_no_dead_peer(weasel, fails):
    weasel.write("peer", "dead\n")
    portal = weasel.root / "etc/ha.d/resource.d/portal"
    portal.rename(weasel.root / "mended")  # and back: it may be running when it is mended
    portal.write_text(fails)
    portal.chmod(0o755)
    process = weasel.fence()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)
    assert not weasel.reset
    (weasel.root / "mended").rename(portal)
    assert process.wait(10) == 5


def test_a_portal_script_of_another_kind_is_asked(weasel):
    """Somebody has laid a wrapper over it."""
    weasel.write("peer", "dead\n")
    portal = weasel.root / "etc/ha.d/resource.d/portal"
    portal.rename(weasel.root / "wrapped")
    portal.write_text(f'#!/bin/sh\nexec {weasel.root}/wrapped "$@"\n')
    portal.chmod(0o755)
    assert weasel.fenced() == 5
    weasel.write("rivals", "192.168.1.1/24/eth2\n")
    process = weasel.fence()
    until(lambda: weasel.reset)
    process.kill()


def test_a_portal_without_a_link_is_not_asked_for(weasel):
    """There is nobody to ask, and the other link tells."""
    weasel.write("peer", "dead\n")
    weasel.write("sys/class/net/eth2/carrier", "0\n")
    weasel.write("rivals", "192.168.1.1/24/eth2\n")
    assert weasel.fenced() == 5


@pytest.mark.parametrize("carriers", [("0\n", "0\n"), ("", "0\n")])
def test_a_node_cut_off_from_every_client_neither_goes_on_nor_takes_over(weasel, otter, carriers):
    for node in (weasel, otter):
        node.write("peer", "dead\n")
        for interface, carrier in zip(("eth2", "eth3"), carriers, strict=True):
            node.write(f"sys/class/net/{interface}/carrier", carrier)
    assert otter.fenced() == 1
    assert weasel.fenced(4) is None
    weasel.write("sys/class/net/eth2/carrier", "1\n")
    assert weasel.fenced() == 5


def test_a_node_cut_off_from_its_clients_gives_itself_up_to_a_peer_that_can_serve(weasel, otter):
    """Replication and both storage cards are gone, the serial cable lives."""
    for interface in ("eth2", "eth3"):
        weasel.write(f"sys/class/net/{interface}/carrier", "0\n")
    process = weasel.fence()
    until(lambda: weasel.reset, 40)
    process.kill()
    process.wait()
    assert "otter can serve r0" in (weasel.root / "var/lib/san/fence.last").read_text()
    assert otter.disk == "UpToDate", "it is to take over"


@pytest.mark.parametrize("lacks", ["carrier", "data"])
def test_it_stays_frozen_where_the_peer_can_not_serve_either(weasel, otter, lacks):
    for interface in ("eth2", "eth3"):
        weasel.write(f"sys/class/net/{interface}/carrier", "0\n")
        if lacks == "carrier":
            otter.write(f"sys/class/net/{interface}/carrier", "0\n")
    if lacks == "data":
        otter.drbd("WFConnection", "Secondary", "Outdated")
    assert weasel.fenced(28) is None
    assert not weasel.reset


class TestStonith:
    """A silent peer is reset before this node writes alone, whoever asks."""

    @pytest.fixture(autouse=True)
    def armed(self, weasel, otter):
        for node, peer in ((weasel, "otter"), (otter, "weasel")):
            node.write("etc/san/stonith.conf", f"node {peer}\ndevice external/ipmi\n")
            node.write("peer", "dead\n")
        return weasel

    def test_the_one_that_serves_resets_its_silent_peer(self, armed):
        armed.write("shoots", "")
        assert armed.fenced() == 7
        assert armed.calls("san") == ["reset otter"]
        armed.over()
        assert armed.calls("heartbeat") == [], "one that was reset comes back as another"

    def test_it_waits_while_no_device_does_it(self, armed):
        assert armed.fenced(5) is None
        assert not armed.reset
        armed.write("shoots", "")
        assert armed.fenced() == 7

    def test_nobody_takes_over_around_it(self, otter):
        assert otter.fenced() == 1
        assert otter.calls("san") == ["reset weasel"]

    @pytest.mark.parametrize("spoil", [Path.mkdir, lambda path: path.symlink_to(path)])
    def test_nobody_goes_on_where_it_can_not_be_read_who_is_reset(self, armed, otter, spoil):
        for node in (armed, otter):
            (node.root / "etc/san/stonith.conf").unlink()
            spoil(node.root / "etc/san/stonith.conf")
        assert otter.fenced() == 1
        assert armed.fenced(4) is None

    def test_what_heartbeat_has_just_done_is_not_done_again(self, otter):
        otter.write("run/san/stonith.done", "weasel 990\n")
        assert otter.fenced() == 7
        assert otter.calls("san") == []

    @pytest.mark.parametrize("mark", ["weasel 100\n", "badger 990\n", "nonsense\n"])
    def test_a_mark_of_another_time_or_node_says_nothing(self, otter, mark):
        otter.write("run/san/stonith.done", mark)
        assert otter.fenced() == 1

    def test_a_disk_that_may_lack_writes_does_not_become_uptodate_by_it(self, armed, otter):
        """DRBD makes a Consistent disk UpToDate at 7, and not at 5."""
        armed.write("shoots", "")
        otter.write("shoots", "")
        otter.drbd("WFConnection", "Secondary", "Consistent")
        assert otter.fenced() == 5


def test_two_devices_of_drbd_let_heartbeat_forget_once(weasel):
    weasel.write("peer", "dead\n")
    weasel.write("holds", "transition\n")
    assert [process.wait(15) for process in (weasel.fence(), weasel.fence())] == [5, 5]
    weasel.write("holds", "all\n")
    weasel.over()
    assert weasel.calls("heartbeat") == ["-r"]


def test_a_standby_does_not_become_primary_while_its_peer_lives(otter, links):
    started = time.monotonic()
    assert otter.fenced(40) == 1
    assert time.monotonic() - started > 15, "it waits for the connection first"
    assert links.said == [], "Heartbeat delivers no answer while it starts resources"


def test_without_a_heartbeat_of_its_own_nothing_is_known(weasel):
    weasel.write("peer", "")
    assert weasel.fenced(4) is None


def test_heartbeat_forgets_a_dead_peer_once_nothing_moves(weasel):
    """One that returns would else make it give up everything."""
    weasel.write("peer", "dead\n")
    weasel.write("holds", "transition\n")
    before = (weasel.root / "etc/ha.d/ha.cf").stat().st_mtime_ns
    assert weasel.fenced() == 5
    weasel.looks()
    assert weasel.calls("heartbeat") == []
    weasel.write("holds", "all\n")
    until(lambda: weasel.calls("heartbeat"))
    assert weasel.calls("heartbeat") == ["-r"]
    assert (weasel.root / "etc/ha.d/ha.cf").stat().st_mtime_ns > before


@pytest.mark.parametrize("connection", ["WFConnection", "Connected"])
def test_a_node_that_does_not_serve_forgets_nobody(weasel, connection):
    """It has nothing to keep when the other returns, and would only claim it."""
    weasel.write("peer", "dead\n")
    weasel.drbd(connection, "Secondary")
    assert weasel.call("forget", "otter").wait(10) == 0
    weasel.looks()
    assert weasel.calls("heartbeat") == []
    weasel.drbd(connection, "Primary")
    until(lambda: weasel.calls("heartbeat"))


def test_a_peer_is_forgotten_once_until_it_is_heard_again(weasel):
    """The new Heartbeat calls dead whom it has never heard."""
    weasel.write("peer", "dead\n")
    weasel.drbd("Connected", "Primary")
    assert weasel.call("forget", "otter").wait(10) == 0
    until(lambda: weasel.calls("heartbeat"))
    os.utime(weasel.root / "etc/ha.d/ha.cf", (1, 1))
    assert weasel.call("forget", "otter").wait(10) == 0
    weasel.over()
    assert weasel.calls("heartbeat") == ["-r"]
    (weasel.root / "run/san/fence/forgotten").unlink()
    assert weasel.call("forget", "otter").wait(10) == 0
    until(lambda: len(weasel.calls("heartbeat")) == 2)


def test_a_peer_that_is_back_is_not_forgotten(weasel):
    weasel.write("peer", "dead\n")
    weasel.write("holds", "transition\n")
    assert weasel.fenced() == 5
    weasel.write("peer", "active\n")
    weasel.write("holds", "all\n")
    weasel.over()
    assert weasel.calls("heartbeat") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"HA_fres": "r0; reboot"},
        {"HA_fid": "../../x"},
        {"HA_fgi": "nonsense"},
        {"HA_fres": ""},
    ],
)
def test_a_question_that_is_not_ours_is_not_answered(otter, links, fields):
    gi = f"{OLD}:{ZERO}:{ZERO}:{ZERO}"
    asked = {"HA_fres": "r0", "HA_fid": "1.1.1", "HA_fgi": gi, "HA_src": "weasel", **fields}
    assert otter.call("san-fence-ask", **asked).wait(10) == 1
    assert links.said == []
    assert otter.disk == "UpToDate"


def test_heartbeat_is_not_replaced_while_drbd_asks(weasel):
    """fence-peer asks it about the peer, and a new one answers nobody until initdead is over."""
    weasel.write("peer", "dead\n")
    line = " 0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C s-----"
    weasel.write("proc/drbd", f"version: 8.4.11 (api:1/proto:86-101)\n{line}\n")
    assert weasel.call("forget", "otter").wait(10) == 0
    weasel.looks()
    assert weasel.calls("heartbeat") == []
    weasel.drbd("WFConnection", "Primary")
    until(lambda: weasel.calls("heartbeat"))


def test_a_clock_that_was_set_back_keeps_nobody_in_memory(weasel):
    weasel.write("peer", "dead\n")
    weasel.drbd("Connected", "Primary")
    later = time.time() + 3600
    os.utime(weasel.root / "etc/ha.d/ha.cf", (later, later))
    assert weasel.call("forget", "otter").wait(10) == 0
    weasel.over()
    assert weasel.calls("heartbeat") == ["-r"]


def test_a_reset_waits_a_moment_until_its_reason_is_on_disk(weasel):
    reason = weasel.root / "var/lib/san/fence.last"
    os.mkfifo(reason)  # a disk that takes its time
    process = weasel.call("reset", "a reason")
    until(lambda: "a reason" in (weasel.root / "dev/kmsg").read_text())
    with pytest.raises(AssertionError):
        until(lambda: weasel.reset, 0.7)
    assert reason.read_text().endswith(" a reason\n")
    until(lambda: weasel.reset)
    process.kill()


@pytest.mark.parametrize("words", [(), ("fence",), ("reset",), ("forget", "a b")])
def test_wrong_calls(weasel, words):
    assert weasel.call(*words).wait(10) == 2
    assert not weasel.reset


def until(true, limit=15):
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_handler_leaves_no_answer(weasel, links):
    """DRBD takes a handler's death for no answer, and goes on waiting."""
    links.cut = True
    process = weasel.fence()
    until(lambda: links.said)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
