"""What DRBD told the journal. The lines are written after the module's messages (drbd_state.c)."""

import subprocess

import pytest

from san.observe.drbd_history import HistoryState, Past, parse, shell
from san.observe.sections import UnreadableError

JOURNAL = """\
1795891100.000001 weasel kernel: block drbd0: role( Secondary -> Primary )
1795891203.513245 weasel kernel: drbd r0: peer( Secondary -> Unknown ) conn( Connected -> NetworkFailure ) pdsk( UpToDate -> DUnknown )
1795891203.600000 weasel kernel: drbd r0: conn( NetworkFailure -> Unconnected )
1795891204.020011 weasel kernel: block drbd0: new current UUID 7F11AA23C4D5E6F1:D5CA4B1DD2A0B4CE:4C8F1E6E17D3E9AA:4C8E1E6E17D3E9AA
1795891300.000000 weasel kernel: block drbd0: role( Primary -> Secondary )
1795891310.000000 weasel kernel: drbd r0: conn( WFConnection -> WFReportParams )
1795891311.000000 weasel kernel: drbd r0: conn( WFReportParams -> NetworkFailure )
1795891312.000000 weasel kernel: block drbd7: role( Secondary -> Primary )
"""  # noqa: E501 (as the journal has them)


def answered(journal, status=0):
    lines = ["resource r0 0", "resource r1 1", *journal.splitlines()]
    return ["[san:begin history]", *lines, "", f"[san:end history {status}]"]


def test_the_last_of_each_is_told():
    assert parse(answered(JOURNAL)) == HistoryState(
        {
            "r0": Past(
                parted=1795891203.513245,
                moved_on=1795891204.020011,
                primary=1795891100.000001,
                secondary=1795891300.0,
            ),
            "r1": Past(),
        }
    )


def test_a_journal_without_a_word_and_none_at_all():
    assert parse(answered("")).resources["r0"] == Past()
    assert parse(answered("", status=127)).resources["r0"] == Past()


def test_a_journal_that_cannot_be_read():
    with pytest.raises(UnreadableError, match="status 124"):
        parse(answered("", status=124))
    with pytest.raises(UnreadableError, match="lacks its part"):
        parse([])


def test_the_script_keeps_what_is_drbds(tmp_path):
    journal = f"{JOURNAL}1795891313.000000 weasel kernel: eth1: link is up\n"
    (tmp_path / "journal").write_text(journal)
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\ncat {tmp_path}/journal\n")
    (tmp_path / "journalctl").chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", shell((("r0", 0), ("r1", 1)))],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "eth1" not in done.stdout
    assert parse(done.stdout.splitlines()) == parse(answered(JOURNAL))
