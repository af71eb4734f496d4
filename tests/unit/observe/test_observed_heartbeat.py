"""Heartbeat's states, from a real pair (data/heartbeat), and its files as it reads them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.observe import heartbeat
from san.observe.ha_cf import HaCf, HaLink, parse_ha_cf
from san.observe.haresources import Resource, ResourceGroup, parse_haresources
from san.observe.heartbeat import NodeState
from san.observe.sections import Section, UnreadableError

DATA = Path(__file__).parent / "data" / "heartbeat"


def state(name):
    return heartbeat.parse((DATA / f"{name}.txt").read_text().splitlines())


def test_a_node_that_holds_its_group():
    found = state("weasel-holds")
    assert (found.installed, found.running, found.boot) == (True, True, "disabled")
    assert found.nodes == {
        "otter": NodeState("active", "normal", {"eth1": "up"}),
        "weasel": NodeState("active", "normal", {"eth1": "dead"}),
    }
    assert found.holds == "local"
    assert found.authkeys_mode == 0o600
    assert found.ha_cf == HaCf(
        keepalive=0.5,
        warntime=2,
        deadtime=4,
        initdead=8,
        udpport=694,
        auto_failback=False,
        links=(HaLink("ucast", ("eth1", "10.9.0.2")),),
        nodes=("weasel", "otter"),
    )
    assert found.haresources == (ResourceGroup("weasel", (Resource("Dummyx", ("a",)),)),)


@pytest.mark.parametrize(
    ("name", "own", "holds", "group"),
    [
        ("weasel-holds", "weasel", "local", True),
        ("otter-stands-by", "otter", "local", False),
        ("otter-holds-after-a-move", "otter", "all", True),
        ("weasel-after-a-move", "weasel", "none", False),
        ("otter-is-dead", "weasel", "all", True),
        ("lab-weasel-is-dead", "otter", "all", True),
        ("moving", "weasel", "transition", None),
        ("stopped", "weasel", None, None),
    ],
)
def test_who_holds_weasels_group(name, own, holds, group):
    found = state(name)
    assert found.holds == holds
    assert found.holds_group_of("weasel", own) is group


def test_a_peer_that_is_dead():
    found = state("otter-is-dead")
    assert found.nodes["otter"] == NodeState("dead", "normal", {"eth1": "dead"})
    assert not found.nodes["otter"].alive
    assert found.nodes["weasel"].alive


def test_stopped():
    found = state("stopped")
    assert (found.installed, found.running, found.nodes, found.holds) == (True, False, None, None)
    assert found.ha_cf is not None


def test_the_guides_two_links():
    """A serial link does not hear itself; a broadcast does."""
    found = state("lab-weasel-is-dead")
    assert found.boot == "enabled"
    assert found.nodes == {
        "otter": NodeState("active", "normal", {"/dev/ttyS1": "dead", "eth1": "up"}),
        "weasel": NodeState("dead", "normal", {"/dev/ttyS1": "dead", "eth1": "dead"}),
    }
    assert found.ha_cf.links == (HaLink("bcast", ("eth1",)), HaLink("serial", ("/dev/ttyS1",)))


NOT_ADMITTED = ("cl_status: [45]: ERROR: Cannot signon with heartbeat",)


def answer(*files, cluster=NOT_ADMITTED, status=1, files_status=0):
    return [
        "[san:begin cluster]",
        *cluster,
        "",
        f"[san:end cluster {status}]",
        "[san:begin files]",
        *files,
        "",
        f"[san:end files {files_status}]",
    ]


def test_not_installed():
    found = heartbeat.parse(answer(cluster=("sh: 1: exec: cl_status: not found",), status=127))
    assert (found.installed, found.running, found.boot) == (False, False, "absent")
    assert (found.nodes, found.ha_cf, found.haresources, found.authkeys_mode) == (None,) * 4


def test_a_heartbeat_that_starts_up_runs_and_answers_not_yet():
    found = heartbeat.parse(answer("program cl_status", "daemon heartbeat"))
    assert (found.running, found.nodes, found.holds) == (True, None, None)


def test_a_ping_node():
    """As cl_status(1) shows it."""
    nodes, holds = heartbeat.parse_cluster(
        Section(
            0,
            (
                "none",
                "",
                "otter\tup\t(nodetype: normal)",
                "\teth1\tdead",
                "",
                "10.43.9.55\tping\t(nodetype: ping)",
                "\t10.43.9.55\tup",
            ),
        )
    )
    assert holds == "none"
    assert nodes == {
        "otter": NodeState("up", "normal", {"eth1": "dead"}),
        "10.43.9.55": NodeState("ping", "ping", {"10.43.9.55": "up"}),
    }
    assert all(node.alive for node in nodes.values())


NODE = "weasel\tactive\t(nodetype: normal)"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ([], "lacks a part"),
        (answer("/etc/ha.d/ha.cf: Permission denied", files_status=2), "can't be read"),
        (answer("program cl_status", cluster=("a library is missing",), status=127), "a library"),
        (answer("program cl_status", cluster=("local",), status=0), "status 0: local"),
        (answer("program cl_status", cluster=("local", NODE), status=124), "status 124"),
    ],
)
def test_what_can_not_be_told_is_said(output, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        heartbeat.parse(output)


@pytest.mark.parametrize(("said", "status"), [((), 12), (("local",), 12), ((NODE,), 0)])
def test_one_that_gives_no_answer_yet_is_waited_for(said, status):
    """Just replaced, it answers nobody until its initdead is over.

    Replaced between the two questions, it has answered the second alone (seen in the lab, while it
    forgot a silent peer).
    """
    found = heartbeat.parse(
        answer("program cl_status", "daemon heartbeat", cluster=said, status=status)
    )
    assert (found.running, found.holds, found.nodes) == (True, None, None)


def test_an_empty_file_is_not_a_missing_one():
    found = heartbeat.parse(answer("file ha.cf", "file haresources"))
    assert (found.ha_cf, found.haresources) == (HaCf(), ())


# ha.cf


def test_ha_cf_with_all_that_is_read():
    """After ha.cf(5) and Debian's sample."""
    assert parse_ha_cf(
        """\
# keepalive 9
logfacility local0
keepalive 500ms   # half a second
warntime 3
deadtime 6s
initdead 2min
udpport	695
baud	19200
serial	/dev/ttyS0 /dev/ttyS1	# Linux
bcast eth1 eth2
mcast eth0 225.0.0.1 694 1 0
ucast eth1 10.10.10.2
ping 10.10.10.254 10.10.10.253
ping_group group1 10.10.10.254 10.10.10.253
auto_failback legacy
node weasel
node otter
keepalive 1
crm off
"""
    ) == HaCf(
        keepalive=1,
        warntime=3,
        deadtime=6,
        initdead=120,
        udpport=695,
        baud=19200,
        auto_failback="legacy",
        links=(
            HaLink("serial", ("/dev/ttyS0",)),
            HaLink("serial", ("/dev/ttyS1",)),
            HaLink("bcast", ("eth1",)),
            HaLink("bcast", ("eth2",)),
            HaLink("mcast", ("eth0", "225.0.0.1", "694", "1", "0")),
            HaLink("ucast", ("eth1", "10.10.10.2")),
            HaLink("ping", ("10.10.10.254",)),
            HaLink("ping", ("10.10.10.253",)),
            HaLink("ping_group", ("group1", "10.10.10.254", "10.10.10.253")),
        ),
        nodes=("weasel", "otter"),
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10), ("1500ms", 1.5), (".5", 0.5), ("2S", 2), ("1.5min", 90), ("1h", 3600)],
)
def test_times(text, seconds):
    assert parse_ha_cf(f"deadtime {text}").deadtime == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "failback"), [("on", True), ("Yes", True), ("n", False), ("OFF", False)]
)
def test_booleans(value, failback):
    assert parse_ha_cf(f"auto_failback {value}").auto_failback is failback


@pytest.mark.parametrize("value", ["on", "respawn", "manual", "yes"])
def test_pacemaker_has_more_than_two_words_for_yes(value):
    assert parse_ha_cf(f"pacemaker {value}").pacemaker


@pytest.mark.parametrize(
    "line",
    ["deadtime soon", "deadtime 5w", "keepalive 500 ms", "udpport ha", "udpport 0", "baud -1",
     "auto_failback ?", "ucast # eth1", "ucast eth1,10.0.0.2", "mcast eth1 239.0.0.1 694 1",
     "ping_group routers", "stonith"],
)  # fmt: skip
def test_a_value_that_heartbeat_refuses_is_named_with_its_line(line):
    with pytest.raises(UnreadableError, match=r"ha\.cf line 2"):
        parse_ha_cf(f"node weasel\n{line}\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1500", 1500), ("2msec", 0.002), ("3MSx", 0.003), ("2500us", 0.003),
                          ("1.", 1), ("1.5.2", 1.5), ("0.0625", 0.063)],
)  # fmt: skip
def test_times_as_cluster_glue_counts_them(text, seconds):
    """In whole milliseconds; what follows a unit's first letters counts for nothing."""
    assert parse_ha_cf(f"deadtime {text}").deadtime == seconds


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("bcast eth1,eth2", [("bcast", ("eth1",)), ("bcast", ("eth2",))]),
        ("bcast , eth1 ,eth2,", [("bcast", ("eth1",)), ("bcast", ("eth2",))]),
        ("udp eth1", [("bcast", ("eth1",))]),
        ("serial /dev/ttyS0#the cable", [("serial", ("/dev/ttyS0",))]),
        ("  \tbcast\teth1 \r eth2", [("bcast", ("eth1",))]),
        ("ping 10.0.0.1,10.0.0.2", [("ping", ("10.0.0.1",)), ("ping", ("10.0.0.2",))]),
        ("ping6 fe80::1", [("ping6", ("fe80::1",))]),
        ("ucast eth1 10.0.0.2 a further word", [("ucast", ("eth1", "10.0.0.2"))]),
        ("mcast eth1 239.0.0.1 694 1 0 1", [("mcast", ("eth1", "239.0.0.1", "694", "1", "0"))]),
        ("bcast\nserial\nping\nnode\nbaud\nudpport\nkeepalive", []),
    ],
)
def test_links_as_heartbeat_parts_them(text, links):
    assert parse_ha_cf(text).links == tuple(HaLink(*each) for each in links)


def rates(text):
    return [(link.kind, link.rate) for link in parse_ha_cf(text).links]


def test_links_without_a_port_or_a_speed_have_heartbeats_own():
    links = "bcast eth1\nucast eth2 10.0.0.2\nserial /dev/ttyS0\nmcast eth3 239.0.0.1 700 1 0\n"
    assert rates(links) == [("bcast", 694), ("ucast", 694), ("serial", 19200), ("mcast", None)]
    assert rates(f"udpport 700x\nbaud 38400\n{links}ping 10.0.0.1")[:3] == [
        ("bcast", 700),
        ("ucast", 700),
        ("serial", 38400),
    ]


def test_a_port_or_a_speed_counts_for_the_kinds_that_come_after_it():
    """A plugin asks once, at its first link."""
    assert rates(
        "bcast eth1\nudpport 700\nbcast eth2\nucast eth2 10.0.0.2\nudpport 701\n"
        "ucast eth3 10.0.1.2\nserial /dev/ttyS0\nbaud 38400\nserial /dev/ttyS1"
    ) == [
        ("bcast", 694),
        ("bcast", 694),
        ("ucast", 700),
        ("ucast", 700),
        ("serial", 19200),
        ("serial", 19200),
    ]


def test_nodes_are_known_in_lower_case():
    assert parse_ha_cf("node Weasel,otter\nnode BADGER#").nodes == ("weasel", "otter", "badger")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("stonith_host OTTER external/ipmi weasel", [("otter", "external/ipmi")]),
        ("stonith_host otter", []),
        ("stonith external/ipmi /etc/ipmi", [("*", "external/ipmi")]),
    ],
)
def test_stonith_of_either_kind(text, hosts):
    """A line for another node is read no further than its name."""
    assert parse_ha_cf(text).stonith_hosts == tuple(hosts)


@pytest.mark.parametrize(
    ("text", "failback"),
    [
        ("nice_failback on", "legacy"),
        ("auto_failback on\nnice_failback on", False),
        ("auto_failback on off", False),
        ("auto_failback", None),
    ],
)
def test_failback_by_its_two_names(text, failback):
    assert parse_ha_cf(text).auto_failback == failback


# haresources


def test_the_guides_haresources():
    assert parse_haresources(
        "weasel drbddisk::r0 LVM::storage IPaddr::192.168.1.1/24/eth2 "
        "IPaddr::192.168.2.1/24/eth3 arp_filter iscsi-target\n"
    ) == (
        ResourceGroup(
            "weasel",
            (
                Resource("drbddisk", ("r0",)),
                Resource("LVM", ("storage",)),
                Resource("IPaddr", ("192.168.1.1/24/eth2",)),
                Resource("IPaddr", ("192.168.2.1/24/eth3",)),
                Resource("arp_filter"),
                Resource("iscsi-target"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weasel a \\\n  b \\\n\tc\n", ["a", "b", "c"]),
        ("weasel a\\\nb c\n", ["ab", "c"]),
        ("weasel a b # c\n", ["a", "b"]),
        ("weasel a# b\n", ["a"]),
        ("weasel a \\\n b # c\n", ["a", "b", "#", "c"]),
        ("weasel a \\ \nb c\n", ["a", "\\"]),
        ("weasel a \\", ["a", "\\"]),
        ("weasel a \\\n", ["a", "\\"]),
        ("weasel 10.0.0.1 httpd\n", ["IPaddr::10.0.0.1", "httpd"]),
        ("weasel Filesystem::/dev/sda1::/data1::ext2", ["Filesystem::/dev/sda1::/data1::ext2"]),
        ("# nothing\n\n \t\nWEASEL a\n", ["a"]),
    ],
)
def test_lines_are_read_as_resource_manager_reads_them(text, words):
    """Each compared with the output of Debian's /usr/share/heartbeat/ResourceManager."""
    group = parse_haresources(text)[0]
    assert group.node == "weasel"
    assert [str(resource) for resource in group.resources] == words


def test_an_empty_haresources_has_no_group():
    assert parse_haresources("# nothing\n") == ()


_WORDS = st.from_regex(r"[a-z][a-zA-Z0-9/_.-]{0,8}", fullmatch=True)
_RESOURCES = st.builds(
    Resource,
    _WORDS,
    st.lists(st.from_regex(r"[a-zA-Z0-9/_.-]{1,8}", fullmatch=True), max_size=3).map(tuple),
)
_GROUPS = st.builds(ResourceGroup, _WORDS.map(str.lower), st.lists(_RESOURCES).map(tuple))
_GAP = st.sampled_from([" ", "\t", "  ", " \\\n ", "\\\n\t"])


@given(st.lists(_GROUPS), st.data())
def test_what_is_written_is_read(groups, data):
    """However the words are spread over lines."""
    text = ""
    for group in groups:
        text += data.draw(st.sampled_from(["", " ", "# weasel a\n", "\n"])) + group.node
        for resource in group.resources:
            text += data.draw(_GAP) + str(resource)
        text += "\n"
    assert parse_haresources(text) == tuple(groups)
