"""journald's records, as `journalctl -o json` prints them."""

import json
from collections.abc import Iterator

import attrs

from .clock import Timebase

FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_SOURCE_REALTIME_TIMESTAMP,_SOURCE_MONOTONIC_TIMESTAMP"
LAG = 60e6
"""Microseconds by which journald may be late; more is a clock that was set meanwhile."""


def command(since: float) -> str:
    """Print the records of all boots since `since`, in seconds of the host's own clock."""
    return f"journalctl --no-pager --quiet -o json --output-fields={FIELDS} --since=@{since:.0f}"


@attrs.frozen
class Record:
    """One record: who said what in which boot, and when (seconds of our clock)."""

    time: float
    who: str
    text: str
    boot: str = ""


def parse(output: str, base: Timebase) -> tuple[Record, ...]:
    """Read records, in the order of their times."""
    return tuple(sorted(_records(output, base), key=lambda record: record.time))


def _records(output: str, base: Timebase) -> Iterator[Record]:
    for line in output.splitlines():
        # a journal that a power cut tore may end in the middle of a record
        if line.startswith("{") and line.endswith("}"):
            yield _record(json.loads(line), base)


def _record(fields: dict[str, object], base: Timebase) -> Record:
    wall = int(str(fields["__REALTIME_TIMESTAMP"]))
    uptime = int(str(fields["__MONOTONIC_TIMESTAMP"]))
    # the sender's time where journald knows it: its own lags when the machine is busy
    if "_SOURCE_MONOTONIC_TIMESTAMP" in fields:
        uptime = int(str(fields["_SOURCE_MONOTONIC_TIMESTAMP"]))
    elif "_SOURCE_REALTIME_TIMESTAMP" in fields:
        lag = wall - int(str(fields["_SOURCE_REALTIME_TIMESTAMP"]))
        uptime -= lag if 0 <= lag < LAG else 0
    message = fields.get("MESSAGE")
    if isinstance(message, list):  # bytes that aren't UTF-8
        message = bytes(message).decode(errors="replace")
    boot = str(fields["_BOOT_ID"])
    return Record(
        time=base.ours(boot, uptime / 1e6, wall / 1e6),
        who=str(fields.get("SYSLOG_IDENTIFIER") or ""),
        text=str(message or "").rstrip(),
        boot=boot,
    )
