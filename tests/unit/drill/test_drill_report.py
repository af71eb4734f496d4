"""From the logs of a drill to what people and programs read of it."""

import json
from xml.etree import ElementTree as ET

import attrs
import pytest
from rich.console import Console

from san.drill import picture, power_cut
from san.drill.clock import Timebase
from san.drill.evidence import Evidence, Witness
from san.drill.report import BUCKET, Report
from san.drill.timeline import rate

STRUCK_AT = 1_700_000_000.0  # our clock
BOOTED = {"client": STRUCK_AT - 777.0, "survivor": STRUCK_AT - 4242.5}  # by the boot's id
RESOURCES = "/etc/ha.d/resource.d"
STORY = (  # seconds after the fault
    (10.0, "heartbeat", "[612]: WARN: node weasel: is dead"),
    (10.8, "ResourceManager(default)", f"info: Running {RESOURCES}/drbddisk r0 start"),
    (12.3, "ResourceManager(default)", f"info: Running {RESOURCES}/LVM storage start"),
    (14.1, "ResourceManager(default)", f"info: Running {RESOURCES}/IPaddr2 192.168.1.1/24 start"),
    (16.0, "ResourceManager(default)", f"info: Running {RESOURCES}/iscsi-target  start"),
    (18.2, "mach_down(default)", "info: mach_down takeover complete for node weasel."),
)
NOTICED = (
    (5.2, "kernel", " connection1:0: detected conn error (1022)"),
    (20.4, "iscsid", "connection1:0 is operational after recovery (3 attempts)"),
)


def printed(story, boot):
    """A journal as journalctl prints it, on a host whose wall clock is anything."""
    return "".join(
        json.dumps(
            {
                "_BOOT_ID": boot,
                "__REALTIME_TIMESTAMP": "0",
                "__MONOTONIC_TIMESTAMP": str(round((STRUCK_AT + at - BOOTED[boot]) * 1e6)),
                "SYSLOG_IDENTIFIER": who,
                "MESSAGE": text,
            }
        )
        + "\n"
        for at, who, text in story
    )


def logged(ends):
    """The writer's log with acknowledgements at these seconds after the fault."""
    lines = [f"run {'00' * 16} 65536"]
    for sequence, end in enumerate(ends):
        uptime = STRUCK_AT + end - BOOTED["client"]
        start, now = round((uptime - 0.005) * 1e6), round(uptime * 1e6)
        lines.append(f"ack {sequence} {sequence} {start} {now} 0")
        if sequence == 3:
            lines.append(f"error 4 4 {now} {now} 0 Input/output error")
    return "\n".join([*lines, f"end {len(ends)}"]) + "\n"


ENDS = [-10 + n / 100 for n in range(999)] + [21.5 + n / 50 for n in range(500)]


def witness(host, story, boot):
    return Witness(host, printed(story, boot), Timebase({boot: BOOTED[boot]}))


@pytest.fixture
def evidence():
    return Evidence(
        struck="weasel",
        struck_at=STRUCK_AT,
        started=STRUCK_AT - 20,
        survivor="otter",
        nodes=(witness("otter", STORY, "survivor"),),
        client=witness("badger", NOTICED, "client"),
        acks=logged(ENDS),
    )


@pytest.fixture
def report(evidence):
    return Report(
        fault="power-cut",
        title="Power cut",
        struck="weasel",
        survivor="otter",
        client="badger",
        device="/dev/mapper/mpatha",
        accel="tcg",
        suite="bookworm",
        started="2023-11-14T22:13:20+00:00",
        timeline=evidence.timeline(),
        acked=len(evidence.ends),
        errors=evidence.errors,
        verification={"checked": 1499, "lost": 0},
        clock_uncertainty=0.004,
        events=evidence.events(),
        rate=rate(evidence.ends, BUCKET),
        notes=evidence.notes(),
    )


def test_three_clocks_make_one_timeline(report):
    told = report.to_json()
    assert told["gap_seconds"] == 21.52
    assert told["phases"] == {
        "before_fault": 0.02,
        "detection": 10.0,
        "takeover": 8.2,
        "client_recovery": 3.3,
    }
    assert told["resources"] == {
        "preparation": 0.8,
        "drbddisk::r0": 1.5,
        "LVM::storage": 1.8,
        "IPaddr2::192.168.1.1/24": 1.9,
        "iscsi-target": 2.2,
    }
    assert (told["acked"], told["lost"], told["errors"]) == (1499, 0, 1)
    assert told["notes"] == []
    assert [(event["at"], event["kind"]) for event in told["events"]] == [
        (5.2, "lost"),
        (20.4, "back"),
    ]


def test_phases_sum_to_the_gap_and_resources_to_the_takeover(report):
    told = report.to_json()
    assert sum(told["phases"].values()) == pytest.approx(told["gap_seconds"], abs=0.003)
    assert sum(told["resources"].values()) == pytest.approx(told["phases"]["takeover"], abs=0.003)


def test_a_silent_survivor_is_told_and_not_invented(evidence):
    silent = attrs.evolve(evidence, nodes=(witness("otter", (), "survivor"),))
    assert [phase.name for phase in silent.timeline().phases] == ["before_fault", "unexplained"]
    assert silent.notes() == ("otter's journal doesn't tell when it declared weasel dead",)


def test_what_was_logged_before_the_drill_isn_t_its_own(evidence):
    """A node whose clock was set back is asked for older records than the drill's."""
    earlier = [(-3000.0, "heartbeat", "[9]: WARN: node weasel: is dead"), *STORY]
    told = attrs.evolve(evidence, nodes=(witness("otter", earlier, "survivor"),))
    assert told.takeover.declared_dead == pytest.approx(10, abs=1e-3)


def test_an_end_that_isn_t_logged_is_told(evidence):
    cut_short = attrs.evolve(evidence, nodes=(witness("otter", STORY[:-1], "survivor"),))
    assert cut_short.timeline().phases[-1].seconds == pytest.approx(5.5, abs=1e-3)
    (note,) = cut_short.notes()
    assert note.startswith("otter's journal doesn't tell when iscsi-target had started")


def test_a_client_that_never_came_back_has_no_timeline(evidence):
    gone = attrs.evolve(evidence, acks=logged([-2, -1]))
    assert gone.timeline() is None
    assert attrs.evolve(evidence, acks=f"run {'00' * 16} 8\n").timeline() is None


def test_the_logs_are_kept_as_they_are(evidence, tmp_path):
    evidence.keep(tmp_path / "drill")
    assert (tmp_path / "drill/acks.log").read_text() == evidence.acks
    assert (tmp_path / "drill/otter.journal.jsonl").read_text() == evidence.nodes[0].journal
    assert (tmp_path / "drill/badger.journal.jsonl").read_text() == evidence.client.journal


def test_the_picture_is_xml_with_the_numbers_in_it(report):
    root = ET.fromstring(picture.draw(report, BUCKET))  # noqa: S314 (our own)
    words = " ".join(root.itertext())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "21.5 s" in words
    assert "0 of 1,499 acknowledged writes lost" in words
    for name in ("detection", "drbddisk r0", "LVM storage", "iscsi-target", "client's recovery"):
        assert name in words
    for seconds in ("10.0 s", "8.2 s", "1.5 s", "3.3 s"):
        assert seconds in words


def test_names_are_escaped_in_the_picture(report):
    odd = attrs.evolve(report, struck="<weasel & co>")
    assert "<weasel & co>" in " ".join(ET.fromstring(picture.draw(odd, BUCKET)).itertext())  # noqa: S314


def test_the_table_tells_the_same(report):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(report.table())
    words = capture.get()
    assert "waited 21.5 s and lost 0 of 1,499 acknowledged writes" in words
    assert "drbddisk r0" in words
    assert "client's recovery" in words


def test_report_and_picture_are_saved(report, tmp_path):
    power_cut.save(report, tmp_path)
    assert json.loads((tmp_path / "drill-power-cut.json").read_text())["lost"] == 0
    assert (tmp_path / "drill-power-cut.svg").read_text().startswith("<svg")
