"""IET's files of /proc and ietd.conf, from captures of three real versions (data/iet)."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.iet import Iet
from san.observe import iet, sections
from san.observe.iet import IetConnection, IetLun, IetSession, IetTarget
from san.observe.ietd_conf import IetdConf, IetdLun, IetdTarget, parse_ietd_conf
from san.observe.sections import Section, UnreadableError

DATA = Path(__file__).parent / "data" / "iet"
TEST = "iqn.2009-02.com.example:test"
OPEN_ISCSI = "iqn.1993-08.org.debian:01:initiator1"


def answers(file, command):
    """What `command` printed each time in a capture."""
    text = (DATA / file).read_text()
    pattern = rf"^\$ {re.escape(command)}\n(.*?)^\[rc=(\d+)\]$"
    return [
        Section(int(status), tuple(body.splitlines()))
        for body, status in re.findall(pattern, text, re.MULTILINE | re.DOTALL)
    ]


VOLUME = "cat /proc/net/iet/volume"
SESSION = "cat /proc/net/iet/session"


def test_volumes_of_1_4_20():
    """Newest target first; paths with spaces; nullio has no path."""
    auto, five, test = iet.parse_volume(answers("02-guide-flow.txt", VOLUME)[1])
    assert auto == IetTarget(2, "iqn.2009-02.com.example:auto", ())
    assert five == IetTarget(5, "iqn.2009-02.com.example:five", ())
    assert (test.tid, test.name) == (1, TEST)
    assert [lun.number for lun in test.luns] == [0, 1, 2, 3, 4, 6, 7]
    assert test.luns[2] == IetLun(
        number=2,
        deleted=False,
        iotype="fileio",
        iomode="ro",
        blocks=65536,
        block_size=512,
        path="/root/lun 2.img",
    )
    assert test.luns[4] == IetLun(
        number=4,
        deleted=False,
        iotype="nullio",
        iomode="wt",
        blocks=131072,
        block_size=512,
        path=None,
    )
    assert test.luns[6].block_size == 4096


@pytest.mark.parametrize("file", ["20-iet-0417.txt", "20-iet-1419.txt"])
def test_volumes_of_older_versions_have_no_sizes(file):
    (target,) = iet.parse_volume(answers(file, VOLUME)[1])
    assert target == IetTarget(
        1,
        TEST,
        (
            IetLun(0, False, "fileio", "wt", None, None, "/dev/vdb"),
            IetLun(1, False, "fileio", "wb", None, None, "/root/lun1.img"),
            IetLun(2, False, "blockio", "ro", None, None, "/dev/vdc"),
        ),
    )


def test_a_lun_that_is_deleted_under_stuck_io_stays_and_says_so():
    before, after = (iet.parse_volume(answers("12-dm-busy.txt", VOLUME)[i])[0] for i in (0, 1))
    assert [lun.deleted for lun in before.luns] == [False, False]
    assert [lun.deleted for lun in after.luns] == [False, True]


def test_every_capture_of_volume_can_be_read():
    read = [
        iet.parse_volume(answer)
        for file in sorted(DATA.glob("*.txt"))
        for answer in answers(file.name, VOLUME)
        if answer.status == 0
    ]
    assert len(read) == 17


@pytest.mark.parametrize(
    ("file", "sid"),
    [
        ("04-openiscsi.txt", 1971424352600576),
        ("20-iet-0417.txt", 283674003964416),
        ("20-iet-1419.txt", 284773515592192),
    ],
)
def test_sessions_of_all_versions(file, sid):
    expected = (IetSession(TEST, sid, OPEN_ISCSI, (IetConnection(0, "10.0.2.2", "active"),)),)
    assert expected in [iet.parse_session(answer) for answer in answers(file, SESSION)]


def test_a_target_without_sessions_is_an_answer():
    assert iet.parse_session(answers("02-guide-flow.txt", SESSION)[0]) == ()


def test_a_read_that_times_out_is_neither_empty_nor_an_error():
    assert iet.parse_session(Section(124)) is None
    assert iet.parse_volume(Section(124)) is None


def test_without_the_module_nothing_is_served():
    assert iet.parse_volume(Section(iet.ABSENT)) == ()


@pytest.mark.parametrize(
    "lines",
    [
        ("nonsense",),
        ("\tlun:0 state:0 iotype:fileio iomode:wt path:/dev/vdb",),
        ("tid:1 name:x", "\tlun:0"),
        ("tid:1 name:x", "\tsid:1 initiator:y"),
    ],
)
def test_a_volume_that_is_none_is_unreadable(lines):
    with pytest.raises(UnreadableError):
        iet.parse_volume(Section(0, lines))


@pytest.mark.parametrize(
    "lines",
    [
        ("tid:1 name:x", "\t\tcid:0 ip:10.0.2.2 state:active hd:none dd:none"),
        ("tid:1 name:x", "\tsid:one initiator:y"),
    ],
)
def test_a_session_that_is_none_is_unreadable(lines):
    with pytest.raises(UnreadableError):
        iet.parse_session(Section(0, lines))


def test_a_read_that_fails_is_unreadable():
    with pytest.raises(UnreadableError, match="can't be read"):
        iet.parse_volume(Section(1, ("Permission denied",)))


# The file


def test_ietd_conf_as_a_real_ietd_read_it():
    """What was served of it (08-conf.txt): lun 0 of `missing` and of `onlymissing` had no device,
    and lun 1 of `chap` none with a space at its end."""
    conf = parse_ietd_conf("\n".join(answers("08-conf.txt", "cat /etc/iet/ietd.conf")[0].lines))
    missing, onlymissing, chap, name, nolun = conf.targets
    assert conf.discovery_users == ("disc",)
    assert missing == IetdTarget(
        "iqn.2009-02.com.example:missing",
        luns=(IetdLun(0, "/dev/missing"), IetdLun(1, "/root/lun1.img")),
    )
    assert onlymissing.luns == (IetdLun(0, "/dev/drbd0", iotype="blockio"),)
    assert onlymissing.parameters == {
        "wthreads": "16",
        "maxrecvdatasegmentlength": "262144",
        "headerdigest": "CRC32C,None",
        "maxsessions": "1",
    }
    assert chap.users == ("joe", "ann")
    assert chap.outgoing_users == ("jim",)
    assert chap.alias == "Foo"
    assert chap.luns == (IetdLun(0, "/root/lun 2.img", iomode="ro"),)
    assert name == IetdTarget("name", luns=(IetdLun(0, "/root/lun1.img"),))
    assert nolun == IetdTarget("iqn.2009-02.com.example:nolun")
    assert conf.ignored == (
        "BogusKey 7",
        "Lun 1 Path=/root/lun1.img , Type=fileio",
        "Target iqn.2009-02.com.example:missing",
        "Lun 9 Path=/root/lun1.img,Type=fileio",
    )


def test_what_a_real_ietd_served_is_among_what_its_file_says():
    """Served: what the file says, without the LUNs whose path wasn't there."""
    conf = parse_ietd_conf("\n".join(answers("08-conf.txt", "cat /etc/iet/ietd.conf")[0].lines))
    said = {
        (target.name, lun.number, lun.path, lun.iotype, lun.iomode)
        for target in conf.targets
        for lun in target.luns
    }
    served = iet.parse_volume(answers("08-conf.txt", VOLUME)[0])
    assert [target.name for target in reversed(served)] == [t.name for t in conf.targets]
    assert said - {
        (target.name, lun.number, lun.path, lun.iotype, lun.iomode)
        for target in served
        for lun in target.luns
    } == {
        ("iqn.2009-02.com.example:missing", 0, "/dev/missing", "fileio", "wt"),
        ("iqn.2009-02.com.example:onlymissing", 0, "/dev/drbd0", "blockio", "wt"),
    }


def test_the_guides_file():
    conf = parse_ietd_conf(
        f"Target {TEST}\n\tLun 0 Path=/dev/storage/test,Type=fileio\n\tAlias test\n"
    )
    lun = IetdLun(0, "/dev/storage/test")
    assert conf == IetdConf((IetdTarget(TEST, luns=(lun,), alias="test"),))


@pytest.mark.parametrize(
    "line",
    [
        "Lun 1 Path=/dev/vdc, Type=fileio",
        "Lun 1 Type=fileio",
        "Lun 1 Type=nullio,Path=/dev/vdc",
        "Lun one Path=/dev/vdc",
        "Lun 1 Bogus=7,Path=/dev/vdc",
        "Lun 1 Path=/dev/vdc,Type=fileio # the mail",
        "Lun 1 Path=/dev/vdc,IOMode=ro#never",
        "Lun 1 # Path=/dev/vdc",
        "Lun 1 Path=/dev/vdc,Type=tape",
        "Lun 0 Path=/dev/vdc",
        "Lun",
        "Bogus",
        "IncomingUser",
        "Target",
    ],
)
def test_lines_without_effect_are_told(line):
    conf = parse_ietd_conf(f"Target {TEST}\n# a comment\n\n  Lun 0 Path=/dev/vdb\n  {line}\n")
    assert conf.targets == (IetdTarget(TEST, luns=(IetdLun(0, "/dev/vdb"),)),)
    assert conf.ignored == (line,)


def test_names_of_settings_have_no_case():
    conf = parse_ietd_conf(f"TARGET {TEST}\nLUN 3 TYPE=NULLIO,blocks=8,IOMode=RO,ScsiId=a,SCSISN=b")
    assert conf.targets[0].luns == (IetdLun(3, None, "nullio", "ro", "a", "b"),)


def test_users_below_a_target_named_twice_are_the_firsts():
    conf = parse_ietd_conf(
        "OutgoingUser me\niSNSServer 10.0.0.1\n"
        "Target a\nTarget b\nIncomingUser x\nTarget a\nIncomingUser y\n"
    )
    assert conf == IetdConf(
        targets=(IetdTarget("a", users=("y",)), IetdTarget("b", users=("x",))),
        outgoing_discovery_users=("me",),
        ignored=("Target a",),
    )


@given(st.text())
def test_any_file_is_read(text):
    """ietd starts with whatever it finds."""
    parse_ietd_conf(text)
    parse_ietd_conf(f"Target {TEST}\nLun {text}\n")


# The whole


def answer(*state, volume=("",), session=("",), status=0):
    return [
        "[san:begin volume]",
        *volume,
        f"[san:end volume {status}]",
        "[san:begin session]",
        *session,
        f"[san:end session {status}]",
        "[san:begin state]",
        *state,
        "",
        "[san:end state 0]",
    ]


def test_a_node_without_iet():
    state = iet.parse(answer("unit iscsitarget.service absent", status=iet.ABSENT))
    assert (state.installed, state.loaded, state.running) == (False, False, False)
    assert (state.boot, state.targets, state.sessions, state.config) == ("absent", (), (), None)


def test_a_node_that_serves():
    state = iet.parse(
        answer(
            "program ietadm",
            "daemon ietd",
            "unit iscsitarget.service absent",
            "module",
            "rc",
            "file /etc/iet/ietd.conf",
            f":Target {TEST}",
            ":\tLun 0 Path=/dev/vdb,Type=fileio",
            ":\tIncomingUser joe",
            volume=(
                f"tid:1 name:{TEST}",
                "\tlun:0 state:0 iotype:fileio iomode:wt path:/dev/vdb",
                "",
            ),
            session=(f"tid:1 name:{TEST}", ""),
        )
    )
    assert (state.installed, state.loaded, state.running) == (True, True, True)
    assert state.boot == "enabled"
    assert state.config_file == "/etc/iet/ietd.conf"
    assert state.config.targets[0].users == ("joe",)
    assert state.targets[0].luns[0].path == "/dev/vdb"
    assert state.sessions == ()


def test_an_empty_file_is_not_a_missing_one():
    state = iet.parse(answer("file /etc/ietd.conf", status=iet.ABSENT))
    assert state.config == IetdConf()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ([], "lacks a part"),
        (answer("module", status=iet.ABSENT), "is loaded and"),
        ([*answer()[:-1], "[san:end state 2]"], "can't be read"),
        (answer()[:-1], "ends within its part"),
    ],
)
def test_what_can_not_be_told_is_said(output, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        iet.parse(output)


def test_a_read_that_no_signal_ends_costs_its_time_limit_and_no_more(tmp_path, monkeypatch):
    """As /proc/net/iet/session while I/O is stuck: the reader is in state D (12-dm-busy.txt)."""
    reader = tmp_path / "cat"
    reader.write_text('#!/bin/sh\n[ $# = 0 ] && exec /bin/cat\ntrap "" TERM\nexec sleep 15\n')
    reader.chmod(0o755)
    monkeypatch.setattr(sections, "READ_LIMIT", 1)
    (tmp_path / "session").touch()
    command = str(Iet().command()).replace("/proc/net/iet", str(tmp_path))
    started = time.monotonic()
    output = subprocess.check_output(
        ["/bin/sh", "-c", command],
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert time.monotonic() - started < 10
    assert "[san:end session 124]" in output
    assert iet.parse(output.splitlines()).sessions is None
