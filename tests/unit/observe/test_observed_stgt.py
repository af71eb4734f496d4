"""STGT, from a real tgtd (data/stgt)."""

from pathlib import Path

import pytest

from san.observe import stgt
from san.observe.sections import UnreadableError
from san.observe.stgt import StgtLun, StgtSession

DATA = Path(__file__).parent / "data" / "stgt"
TEST = "iqn.2009-02.com.example:test"


def lines(name):
    return (DATA / f"{name}.txt").read_text().splitlines()


def test_a_node_that_serves():
    state = stgt.parse(lines("serving"))
    assert (state.installed, state.running, state.boot) == (True, True, "enabled")
    assert state.portals == ("127.0.0.1:13260",)
    assert [(target.tid, target.name, target.state) for target in state.targets] == [
        (1, TEST, "ready"),
        (7, "iqn.2009-02.com.example:bare", "offline"),
        (8, "iqn.2009-02.com.example:open", "ready"),
    ]


def test_luns_of_all_kinds():
    controller, disk, spaced = stgt.parse(lines("serving")).targets[0].luns
    assert controller == StgtLun(
        number=0,
        type="controller",
        path=None,
        backing="null",
        megabytes=0,
        block_size=1,
        online=True,
        readonly=False,
        scsi_id="IET     00010000",
        scsi_sn="beaf10",
    )
    assert disk == StgtLun(
        number=1,
        type="disk",
        path="/srv/disk1.img",
        backing="rdwr",
        megabytes=67,
        block_size=512,
        online=True,
        readonly=False,
        scsi_id="naa.5000",
        scsi_sn="sn0001",
    )
    assert (spaced.path, spaced.online, spaced.readonly) == ("/srv/disk 2.img", False, True)


def test_only_disks_hold_data():
    test, bare, _ = stgt.parse(lines("serving")).targets
    assert [lun.number for lun in test.disks] == [1, 2]
    assert bare.disks == ()


def test_accounts_and_acl():
    test, bare, _ = stgt.parse(lines("serving")).targets
    assert (test.accounts, test.outgoing_accounts) == (("joe",), ("jim",))
    assert test.acl_addresses == ("192.168.1.0/24", "ALL")
    assert test.acl_initiators == ("iqn.1993-08.org.debian:01:badger",)
    assert (bare.accounts, bare.acl_addresses, bare.acl_initiators) == ((), (), ())


def test_a_session():
    *_, target = stgt.parse(lines("serving")).targets
    assert target.sessions == (
        StgtSession(2, "iqn.2010-11.libiscsi:iscsi-perf", None, ("127.0.0.1",)),
    )


def test_a_session_with_two_connections_and_an_alias():
    """After usr/tgtadm's code: not seen on a real one yet."""
    text = "\n".join(lines("serving"))
    text = text.replace("iscsi-perf alias: none", "iscsi-perf alias: badger").replace(
        "                IP Address: 127.0.0.1\n",
        "                IP Address: 127.0.0.1\n"
        "            Connection: 1\n                IP Address: 127.0.0.2\n",
    )
    *_, target = stgt.parse_targets(text.split("\n"))
    assert target.sessions == (
        StgtSession(2, "iqn.2010-11.libiscsi:iscsi-perf", "badger", ("127.0.0.1", "127.0.0.2")),
    )


def test_the_watch_is_no_client():
    *_, target = stgt.parse(lines("serving")).targets
    assert target.clients == target.sessions
    text = "\n".join(lines("serving")).replace("iqn.2010-11.libiscsi:iscsi-perf", stgt.WATCH)
    *_, target = stgt.parse_targets(text.split("\n"))
    assert (len(target.sessions), target.clients) == (1, ())


def test_the_labs_cluster():
    state = stgt.parse(lines("lab-weasel"))
    (target,) = state.targets
    assert state.boot == "masked"
    assert state.portals == ("192.168.2.1:3260", "192.168.1.1:3260")
    assert [(lun.number, lun.path) for lun in target.disks] == [(1, "/dev/storage/test")]
    assert [(session.alias, session.addresses) for session in target.sessions] == [
        ("badger", ("192.168.1.10",)),
        ("badger", ("192.168.2.10",)),
    ]


def test_stopped_is_not_empty():
    state = stgt.parse(lines("stopped"))
    assert (state.installed, state.running, state.boot) == (True, False, "masked")
    assert (state.targets, state.portals) == ((), ())


def answer(*targets, status=0, services=("program tgtadm",)):
    return ["[san:begin stgt]", *targets, *services, "", f"[san:end stgt {status}]"]


def test_empty_is_not_stopped():
    """As a real tgtd without targets answers."""
    state = stgt.parse(answer("Portal: 0.0.0.0:3260,1", "Portal: [::]:3260,1"))
    assert (state.running, state.targets) == (True, ())
    assert state.portals == ("0.0.0.0:3260", "[::]:3260")


def test_not_installed():
    state = stgt.parse(answer("sh: 1: tgtadm: not found", status=127, services=()))
    assert (state.installed, state.running, state.boot) == (False, False, "absent")


def test_an_older_version_without_block_size():
    text = "\n".join(lines("serving")).replace(", Block size: 512", "")
    target, *_ = stgt.parse_targets(text.split("\n"))
    assert target.disks[0].block_size is None


MUTE = "tgtadm: failed to send request hdr to tgt daemon, Transport endpoint is not connected"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ([], "lacks its part"),
        (answer(MUTE, status=107, services=("program tgtadm", "daemon tgtd")), "though tgtd runs"),
        (answer(status=124), "status 124"),
        (answer("a library is missing", status=127), "a library is missing"),
        (answer(status=127, services=("daemon tgtd",)), "tgtadm is not there"),
        (answer("Target one: x"), "without a number"),
        (answer("Target 1: x", "    System information:"), "without 'Account information:'"),
        (answer(*[line for line in lines("serving")[1:-5] if "SCSI SN" not in line]), "'SCSI SN'"),
        (
            answer(*[line.replace(" MB,", " MiB,") for line in lines("serving")[1:-5]]),
            "a size: '0 MiB, Block size: 1'",
        ),
    ],
)
def test_what_can_not_be_told_is_said(output, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        stgt.parse(output)
