"""The survivor's and the client's journals, read."""

import json

from san.drill import initiator, journal, takeover
from san.drill.clock import Timebase
from san.drill.journal import Record
from san.drill.takeover import Step

RESOURCES = "/etc/ha.d/resource.d"


def told(*lines):
    """Records a second apart, from (who, text)."""
    return tuple(Record(float(second), who, text) for second, (who, text) in enumerate(lines))


def manager(text):
    return "ResourceManager(default)", text


# The lines are Heartbeat 3.0.6's: its binary's formats, its ResourceManager and mach_down scripts.
TAKES_OVER = told(
    ("heartbeat", "[612]: info: Link weasel:eth1 dead."),  # 0
    ("heartbeat", "[612]: WARN: node weasel: is dead"),
    ("heartbeat", "[612]: WARN: No STONITH device configured."),
    ("heartbeat", "[612]: info: Resources being acquired from weasel."),
    ("harc(default)", "info: Running /etc/ha.d//rc.d/status status"),
    ("mach_down(default)", "info: Taking over resource group drbddisk::r0"),  # 5
    manager("info: Acquiring resource group: weasel drbddisk::r0 IPaddr2::192.168.1.1/24/eth2 tgt"),
    manager(f"info: Running {RESOURCES}/drbddisk r0 start"),
    ("/usr/lib/ocf/resource.d//heartbeat/IPaddr2(default)", "INFO:  Resource is stopped"),
    manager(f"info: Running {RESOURCES}/IPaddr2 192.168.1.1/24/eth2 start"),
    ("IPaddr2(default)", "INFO: Adding inet address 192.168.1.1/24 to device eth2"),  # 10
    ("/usr/lib/ocf/resource.d//heartbeat/IPaddr2(default)", "INFO:  Success"),
    manager(f"info: Running {RESOURCES}/tgt  start"),
    ("mach_down(default)", "info: mach_down takeover complete for node weasel."),
    ("heartbeat", "[612]: info: mach_down takeover complete."),
)

TAKES_ITS_OWN_BACK = told(
    ("heartbeat", "[612]: WARN: node otter: is dead"),  # 0
    ("mach_down(default)", "info: mach_down takeover complete for node otter."),
    ("heartbeat", "[900]: info: Local Resource acquisition completed."),
    ("ip-request-resp(default)", "received ip-request-resp drbddisk::r0 OK yes"),
    manager("info: Acquiring resource group: weasel drbddisk::r0 tgt"),
    manager(f"info: Running {RESOURCES}/drbddisk r0 start"),  # 5
    manager(f"info: Running {RESOURCES}/tgt  start"),
)


def test_a_takeover_from_the_dead_node():
    story = takeover.parse(TAKES_OVER, "weasel")
    assert story.declared_dead == 1
    assert story.steps == (
        Step("drbddisk::r0", 7, 9),
        Step("IPaddr2::192.168.1.1/24/eth2", 9, 11),
        Step("tgt", 12, 13),
    )
    assert story.end_is_logged
    assert story.complete == 13
    assert story.failures == ()


def test_a_node_that_takes_its_own_group_back_doesn_t_log_the_end():
    story = takeover.parse(TAKES_ITS_OWN_BACK, "otter")
    assert story.declared_dead == 0
    assert story.steps == (Step("drbddisk::r0", 5, 6), Step("tgt", 6, 6))
    assert not story.end_is_logged
    assert story.complete == 6


def test_heartbeat_s_debug_log_tells_every_end():
    story = takeover.parse(
        (
            *TAKES_ITS_OWN_BACK,
            Record(8.5, *manager(f"debug: {RESOURCES}/tgt  start done. RC=0")),
        ),
        "otter",
    )
    assert story.steps[-1] == Step("tgt", 6, 8.5)
    assert story.end_is_logged


def test_our_scripts_tell_their_end():
    """A node that takes its own group back: the target's end is the end of the whole."""
    story = takeover.parse(
        told(
            ("heartbeat", "[612]: WARN: node otter: is dead"),
            ("iscsi-target", "INFO: Success"),
            manager(f"info: Running {RESOURCES}/portal 192.168.1.1/24/eth2 start"),
            ("portal", "INFO: Success"),
            manager(f"info: Running {RESOURCES}/iscsi-target  start"),
            ("iscsi-target", "INFO: Success"),
        ),
        "otter",
    )
    assert story.steps == (
        Step("portal::192.168.1.1/24/eth2", 2, 3),
        Step("iscsi-target", 4, 5),
    )
    assert story.end_is_logged
    assert story.failures == ()


def test_the_portals_start_at_once():
    """The last one's end is the end of the whole."""
    first, second = ("portal 192.168.1.1/24/eth2", "portal 192.168.2.1/24/eth3")
    story = takeover.parse(
        told(
            ("heartbeat", "[612]: WARN: node otter: is dead"),
            manager(f"info: Running {RESOURCES}/{first} start"),
            manager(f"info: Running {RESOURCES}/{second} start"),
            ("portal", "INFO: Success"),
            ("san-watch", "this node serves"),
            ("portal", "INFO: Success"),
        ),
        "otter",
    )
    assert [(step.start, step.end) for step in story.steps] == [(1, 3), (2, 5)]
    assert story.complete == 5


def test_nothing_counts_before_the_node_is_declared_dead():
    story = takeover.parse(TAKES_OVER, "otter")
    assert story == takeover.Takeover(None, (), end_is_logged=False, failures=())
    assert story.complete is None


def test_a_node_s_name_is_compared_as_heartbeat_does():
    """Heartbeat lowers node names in haresources, `uname -n` may not be."""
    assert takeover.parse(TAKES_OVER, "Weasel").declared_dead == 1


def test_a_line_that_journald_caught_twice_counts_once():
    twice = tuple(record for record in TAKES_OVER for _ in range(2))
    assert takeover.parse(twice, "weasel") == takeover.parse(TAKES_OVER, "weasel")


def test_a_group_given_up_says_why():
    story = takeover.parse(
        told(
            ("heartbeat", "[612]: WARN: node weasel: is dead"),
            manager(f"info: Running {RESOURCES}/IPaddr 192.168.1.1/24/eth2 start"),
            ("IPaddr(default)", "ERROR:  Program is not installed"),
            ("iscsi-target", "start: no such block device: /dev/storage/test"),
            manager(f"ERROR: Return code 5 from {RESOURCES}/IPaddr"),
            manager("CRIT: Giving up resources due to failure of IPaddr::192.168.1.1/24/eth2"),
            manager("info: Releasing resource group: weasel IPaddr::192.168.1.1/24/eth2"),
            manager(f"info: Running {RESOURCES}/IPaddr 192.168.1.1/24/eth2 stop"),
        ),
        "weasel",
    )
    assert story.failures == (
        "iscsi-target: start: no such block device: /dev/storage/test",
        f"ERROR: Return code 5 from {RESOURCES}/IPaddr",
        "CRIT: Giving up resources due to failure of IPaddr::192.168.1.1/24/eth2",
    )


def test_records_are_read_as_journalctl_prints_them():
    """Each boot's own clock tells the time; what the wall clock said then doesn't matter."""
    common = {"_BOOT_ID": "b00f", "__REALTIME_TIMESTAMP": "4102444800000000"}
    output = "\n".join(
        json.dumps(common | record)
        for record in (
            {
                "__MONOTONIC_TIMESTAMP": "3750000",
                "_SOURCE_REALTIME_TIMESTAMP": "4102444798750000",
                "SYSLOG_IDENTIFIER": "heartbeat",
                "MESSAGE": "[612]: WARN: node weasel: is dead",
            },
            {
                "__MONOTONIC_TIMESTAMP": "9000000",
                "_SOURCE_MONOTONIC_TIMESTAMP": "2000000",
                "SYSLOG_IDENTIFIER": "kernel",
                "MESSAGE": [98, 97, 100, 255],
            },
            {
                # a clock that was set meanwhile is no delay
                "__MONOTONIC_TIMESTAMP": "3000000",
                "_SOURCE_REALTIME_TIMESTAMP": "4102441200000000",
                "MESSAGE": None,
            },
        )
    )
    torn = '{"_BOOT_ID":"b00f","MESSAGE":"cut sho'
    assert journal.parse(f"{output}\n{torn}\n", Timebase({"b00f": 1000.0})) == (
        Record(1002.0, "kernel", "bad\ufffd", "b00f"),
        Record(1002.5, "heartbeat", "[612]: WARN: node weasel: is dead", "b00f"),
        Record(1003.0, "", "", "b00f"),
    )


def test_what_the_initiator_notices():
    seen = initiator.parse(
        told(
            ("kernel", " connection1:0: ping timeout of 5 secs expired, recv timeout 5, last rx 1"),
            ("kernel", " connection1:0: detected conn error (1022)"),
            (
                "iscsid",
                "Kernel reported iSCSI connection 1:0 error (1022 - Invalid or unknown error code)",
            ),
            ("kernel", "device-mapper: multipath: 254:0: Failing path 8:0."),
            ("multipathd", "mpatha: sda - tur checker reports path is down"),
            ("multipathd", "checker failed path 8:0 in map mpatha"),
            ("systemd", "Started something else."),
            ("iscsid", "connection1:0 is operational after recovery (3 attempts)"),
            ("multipathd", "8:0: reinstated"),
        )
    )
    assert [happening.kind for happening in seen] == ["lost"] * 3 + ["down", "back", "up"]
