"""Processes are ended by their own record, never by an id that is someone else's by now."""

import json
import os
import signal
from pathlib import Path

import pytest

from san.lab import process


def test_spawned_process_runs_until_ended(tmp_path: Path):
    """It is recorded, alive, then gone, record and all."""
    record = tmp_path / "run" / "it.json"
    pid = process.spawn(["sleep", "300"], record, tmp_path / "log")
    assert process.running(record) == pid
    assert os.getsid(pid) == pid
    process.end(record)
    assert process.start_time(pid) is None
    assert not record.exists()


def test_id_of_another_process_is_not_touched(tmp_path: Path):
    """The id matches, the start time doesn't: the recorded process is long gone."""
    mine = tmp_path / "mine.json"
    pid = process.spawn(["sleep", "300"], mine, tmp_path / "log")
    stale = tmp_path / "stale.json"
    stale.write_text(json.dumps([pid, 1]))
    assert process.running(stale) is None
    process.end(stale)
    assert process.running(mine) == pid
    process.end(mine)


def test_process_that_ignores_term_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing survives `down`."""
    monkeypatch.setattr(process, "_TERM_LIMIT_S", 0.3)
    record = tmp_path / "it.json"
    process.spawn(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], record, tmp_path / "log")
    process.end(record)
    assert process.running(record) is None


def test_interrupt_waits_until_the_record_is_written():
    """Ctrl-C between start and record would leave a process that nobody knows."""
    recorded = []
    # Where a shell has started the tests in its background, Ctrl-C is ignored from the start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start_and_record() -> None:
        with process.uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            recorded.append("written")

    try:
        with pytest.raises(KeyboardInterrupt):
            start_and_record()
    finally:
        signal.signal(signal.SIGINT, before)
    assert recorded == ["written"]


def test_record_that_is_damaged_names_no_process(tmp_path: Path):
    """A crash while writing it is like no record."""
    record = tmp_path / "it.json"
    record.write_text("[12")
    assert process.running(record) is None
