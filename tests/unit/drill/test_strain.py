"""Two nodes so busy that one could take the other for dead: their logs, and the verdict."""

import re
import subprocess

import attrs
import pytest
from click.testing import CliRunner

from san.drill import commands, guest, matrix, outcome
from san.drill.faults import machines
from san.drill.journal import Record
from san.drill.strain import MOVED, Strain, read

BUSY = {
    "weasel": (
        Record(20.0, "heartbeat", "[612]: WARN: Late heartbeat: Node otter: interval 3250 ms"),
        Record(30.0, "san-drill-load", "2.41 2"),
        Record(50.0, "heartbeat", "[612]: WARN: Late heartbeat: Node weasel: interval 4810 ms"),
        Record(60.0, "san-drill-load", "14.20 2"),
    ),
    "otter": (
        Record(60.0, "san-drill-load", "5.5 1"),
        Record(61.0, "san-watch", "mend in place: iscsi-target stop, iscsi-target start (…)"),
    ),
}


def test_journals_are_read():
    seen = read(BUSY)
    assert seen == Strain(late=(4.81, 3.25), mends=1, load={"weasel": 7.1, "otter": 5.5})
    assert seen.to_json() == {
        "late_heartbeats": 2,
        "longest_late_heartbeat_seconds": 4.81,
        "mends_in_place": 1,
        "load_per_processor": {"weasel": 7.1, "otter": 5.5},
    }
    assert seen.notes == (
        "weasel's load average was 7.1 per processor",
        "otter's load average was 5.5 per processor",
        "2 late heartbeats, the longest after 4.8 s",
        "the watch mended in place, times: 1",
    )


def test_nodes_at_ease_have_nothing_to_tell():
    seen = read({"weasel": (Record(1.0, "heartbeat", "info: Link otter:eth1 up."),), "otter": ()})
    assert seen == Strain()
    assert seen.notes == ()


@pytest.mark.parametrize(
    "line",
    [
        "[612]: WARN: node weasel: is dead",
        "info: Running /etc/ha.d/resource.d/drbddisk r0 start",
        "info: Running /etc/ha.d/resource.d/iscsi-target  stop",
        "move to otter: link eth2: without carrier; link eth3: without carrier",
    ],
)
def test_whatever_moves_is_forbidden(line):
    never = machines.full_load().expected.never
    told = {"otter": (Record(5.0, "heartbeat", line),)}
    assert outcome.forbidden(told, "badger", never) == (f"otter at 5.0 s: {line}",)
    assert not any(re.search(one, "mend in place: iscsi-target stop") for one in MOVED)


class TestVerdict:
    @pytest.fixture
    def still(self, survived):
        expected = attrs.evolve(machines.full_load().expected, serves="either")
        return attrs.evolve(survived, expected=expected, booted=(), strain=read(BUSY))

    def test_a_pair_that_stood_it(self, still):
        assert still.problems == ()
        assert still.to_json()["strain"]["late_heartbeats"] == 2

    def test_a_reset_is_a_problem(self, still):
        assert attrs.evolve(still, booted=("weasel",)).problems == ("weasel has booted anew",)

    def test_too_little_load_proves_nothing(self, still):
        idle = Strain(load={"weasel": 3.9})
        assert attrs.evolve(still, strain=idle).problems == tuple(
            f"{node}'s load average was {load} per processor, which proves nothing (4 at least)"
            for node, load in (("weasel", 3.9), ("otter", 0.0))
        )


def test_the_row_says_how_long():
    assert [step.at for step in machines.full_load(5).steps] == [0, 300]
    assert machines.full_load(5).name == "full-load-5"
    assert "full-load-30" in matrix.FAULTS
    refused = CliRunner().invoke(commands.drill, ["full-load", "--minutes", "2"])
    assert "2.0 is not in the range x>=3" in refused.stderr


def test_it_loads_with_debians_base_alone():
    """Programs of coreutils, perl-base and util-linux, and what sh itself knows."""
    script = guest.full_load(60)
    assert "RuntimeMaxSec=60" in script
    assert "${" not in script, "systemd would put an environment's value there"
    for program in ("sha256sum", "perl", "dd", "logger", "nproc", "cut", "seq"):
        owner = subprocess.run(
            ["dpkg", "-S", f"*bin/{program}"], capture_output=True, text=True, check=True
        ).stdout
        assert re.search(r"^(coreutils|perl-base|bsdutils): ", owner, re.MULTILINE), owner
