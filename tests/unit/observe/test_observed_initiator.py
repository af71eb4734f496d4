"""A client, from the lab's (data/initiator), and corners of open-iscsi's files."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.initiator import Initiator
from san.observe import initiator, multipath
from san.observe.initiator import IscsiSettings, NodeRecord, Session
from san.observe.multipath import MultipathMap
from san.observe.sections import Section, UnreadableError

DATA = Path(__file__).parent / "data" / "initiator"
TEST = "iqn.2009-02.com.example:test"
WWID = "36000000196511e10e4bc2b8cba3cd6ae"


def state(name):
    return initiator.parse((DATA / f"{name}.txt").read_text().splitlines())


def test_a_client_with_both_paths():
    found = state("logged-in")
    settings = IscsiSettings(
        startup="automatic", noop_out_interval=2, noop_out_timeout=2, replacement_timeout=5
    )
    assert found.name == "iqn.2009-02.com.example:badger"
    assert (found.installed, found.iscsid_running) == (True, True)
    assert found.boot["open-iscsi.service"] == "enabled"
    assert found.settings == settings
    assert found.nodes == (
        NodeRecord(TEST, "192.168.1.1", 3260, settings),
        NodeRecord(TEST, "192.168.2.1", 3260, settings),
    )
    assert found.sessions == (
        Session(1, TEST, "192.168.1.1", 3260, "LOGGED_IN", 5),
        Session(2, TEST, "192.168.2.1", 3260, "LOGGED_IN", 5),
    )
    assert all(session.logged_in for session in found.sessions)


def test_a_map_with_both_paths():
    found = state("logged-in")
    assert (found.multipath_installed, found.multipathd_running) == (True, True)
    assert found.multipath_conf
    (mapped,) = found.maps
    assert mapped == MultipathMap(
        name=WWID,
        wwid=WWID,
        device="dm-0",
        queueing="on",
        paths=(
            multipath.Path("sda", TEST, dm="active", checked="ready", online="running"),
            multipath.Path("sdb", TEST, dm="active", checked="ready", online="running"),
        ),
    )
    assert mapped.active_paths == 2


def test_while_no_node_serves_all_stays_but_carries_nothing():
    found = state("all-paths-down")
    assert [(session.state, session.logged_in) for session in found.sessions] == [
        ("FREE", False),
        ("FREE", False),
    ]
    (mapped,) = found.maps
    assert mapped.active_paths == 0
    assert {(path.dm, path.checked, path.online) for path in mapped.paths} == {
        ("failed", "faulty", "running")
    }


def test_a_client_before_it_is_configured():
    found = state("installed-only")
    assert found.name == "iqn.1993-08.org.debian:01:623dc0238c8a"
    assert (found.iscsid_running, found.multipathd_running) == (False, True)
    assert (found.nodes, found.sessions, found.maps) == ((), (), ())
    assert not found.multipath_conf
    assert found.settings.startup == "manual"


def answer(*lines, status=0, maps=(), maps_status=127):
    return [
        "[san:begin initiator]",
        *lines,
        "",
        f"[san:end initiator {status}]",
        "[san:begin maps]",
        *maps,
        "",
        f"[san:end maps {maps_status}]",
    ]


def test_a_bare_host():
    found = initiator.parse(answer("unit iscsid.service absent"))
    assert (found.installed, found.multipath_installed, found.multipathd_running) == (False,) * 3
    assert (found.name, found.settings, found.nodes, found.sessions) == (None, None, (), ())


def test_an_iscsid_conf_that_says_nothing_is_not_a_missing_one():
    found = initiator.parse(answer("file /etc/iscsi/iscsid.conf", status=1))
    assert found.settings == IscsiSettings()


def test_while_multipathd_is_stopped_its_answer_is_not_asked_for():
    found = initiator.parse(answer("program multipathd", maps=("error",), maps_status=1))
    assert (found.multipath_installed, found.multipathd_running, found.maps) == (True, False, ())


def test_a_session_that_ends_while_it_is_read_is_none():
    found = initiator.parse(answer("session 3     ", "session 4 LOGGED_IN   5 "))
    assert found.sessions == ()


def test_a_sessions_disks():
    found = initiator.parse(
        answer(
            f"session 1 LOGGED_IN 192.168.1.1 3260 5 {TEST}",
            "disk 1 sda",
            "disk 1 sdb",
            f"session 12 LOGGED_IN 192.168.2.1 3260 5 {TEST}",
        )
    )
    assert [session.disks for session in found.sessions] == [("sda", "sdb"), ()]


@pytest.mark.parametrize("unknown", ["undef", "[undef]", "-", ""])
def test_a_map_that_is_not_in_sysfs_has_no_device(unknown):
    entry = {"name": "m", "uuid": "3600", "sysfs": unknown, "queueing": "on", "path_groups": []}
    (found,) = multipath.parse_maps(Section(0, (json.dumps({"maps": [entry]}),)))
    assert found.device is None


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("nodes/iqn.a:b-c/10.0.0.1,3260,1/default", ("iqn.a:b-c", "10.0.0.1", 3260)),
        ("nodes/iqn.a:b/10.0.0.1,3261/default", ("iqn.a:b", "10.0.0.1", 3261)),
        ("nodes/iqn.a:b/10.0.0.1,3260", ("iqn.a:b", "10.0.0.1", 3260)),
        ("nodes/iqn.a:b/fe80::1,3260,-1/iface0", ("iqn.a:b", "fe80::1", 3260)),
    ],
)
def test_node_records_of_all_layouts(path, record):
    """After open-iscsi's idbm.c: a directory for each interface, or a file in old versions."""
    found = initiator.parse(answer(f"/etc/iscsi/{path}:node.startup = manual"))
    assert found.nodes == (NodeRecord(*record, IscsiSettings(startup="manual")),)


def test_the_last_setting_of_a_file_counts():
    file = "/etc/iscsi/iscsid.conf"
    found = initiator.parse(
        answer(
            f"file {file}",
            f"{file}:node.session.timeo.replacement_timeout = 120",
            f"{file}: node.session.timeo.replacement_timeout=-1 ",
        )
    )
    assert found.settings == IscsiSettings(replacement_timeout=-1)


MULTIPATHD = ("program multipathd", "daemon multipathd")


def test_a_warning_before_the_list_is_passed_over():
    maps = ("multipath.conf line 3, invalid keyword: speed", '{"maps": []}')
    found = initiator.parse(answer(*MULTIPATHD, maps=maps, maps_status=0))
    assert (found.multipathd_running, found.maps) == (True, ())


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ([], "lacks a part"),
        (answer("grep: /etc/iscsi: Permission denied", status=2), "can't be read"),
        (
            answer(
                "file /etc/iscsi/iscsid.conf",
                "/etc/iscsi/iscsid.conf:node.session.timeo.replacement_timeout = soon",
            ),
            "is no number",
        ),
        (answer(*MULTIPATHD, maps_status=124), r"status 124\): it printed nothing"),
        (answer(*MULTIPATHD, maps=("timeout",), maps_status=1), r"status 1\): timeout"),
        (answer(*MULTIPATHD, maps=("ok",), maps_status=0), "listed no maps"),
        (answer(*MULTIPATHD, maps=("{",), maps_status=0), "malformed"),
        (answer(*MULTIPATHD, maps=('{"maps": [{"name": "x"}]}',), maps_status=0), "malformed"),
    ],
)
def test_what_can_not_be_told_is_said(output, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        initiator.parse(output)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["maps", "name", "uuid", "path_groups"]), inner)
        ),
    )
)
def test_any_json_is_read_or_refused(value):
    try:
        multipath.parse_maps(Section(0, (json.dumps({"maps": value}),)))
    except UnreadableError:
        assert value != []


RECORD = "iqn.2009-02.com.example:test/192.168.1.1,3260,1/default"
BY_CHAP = "node.session.auth.username = badger\nnode.session.auth.password = {}\n"


@pytest.mark.parametrize(
    ("proved", "records", "outdated"),
    [
        (("badger", "old-secret-1"), {RECORD: BY_CHAP.format("old-secret-1")}, False),
        (("badger", "old-secret-1"), {RECORD: BY_CHAP.format("new-secret-1")}, True),
        (("mole", "old-secret-1"), {RECORD: BY_CHAP.format("old-secret-1")}, True),
        (("(null)", "(null)"), {RECORD: "node.startup = automatic\n"}, False),
        (("(null)", "(null)"), {RECORD: BY_CHAP.format("new-secret-1")}, True),
        (("badger", "old-secret-1"), {RECORD: "node.startup = automatic\n"}, True),
        (("badger", "old-secret-1"), {}, False),
        (
            ("badger", "old-secret-1"),
            {
                RECORD: BY_CHAP.format("old-secret-1"),
                RECORD.replace(",1/default", ",-1/default"): BY_CHAP.format("another"),
                RECORD.replace("default", "iface1"): BY_CHAP.format("another"),
            },
            False,
        ),
    ],
)
def test_a_session_that_proves_what_its_record_has_no_more(tmp_path, proved, records, outdated):
    """The script itself, on a client made of files; no secret leaves it."""
    session = tmp_path / "sys/class/iscsi_session/session7"
    connection = tmp_path / "sys/class/iscsi_connection/connection7:0"
    user, password = proved
    files = {
        session: {
            "state": "FREE", "recovery_tmo": "5", "targetname": "iqn.2009-02.com.example:test",
            "tpgt": "1", "ifacename": "default", "username": user, "password": password,
        },
        connection: {"persistent_address": "192.168.1.1", "persistent_port": "3260"},
        tmp_path / "etc/iscsi/nodes": records,
    }  # fmt: skip
    for directory, contents in files.items():
        for name, text in contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
    command = str(Initiator().command())
    for place in ("/sys/class/iscsi_", "/etc/iscsi", "/var/lib/iscsi"):
        command = command.replace(place, f"{tmp_path}{place}")
    said = subprocess.run(["dash", "-c", command], capture_output=True, text=True, check=True)
    (found,) = initiator.parse(said.stdout.splitlines()).sessions
    assert (found.sid, found.address, found.outdated) == (7, "192.168.1.1", outdated)
    assert "secret" not in said.stdout + said.stderr
