"""journald's records, as `journalctl -o json` prints them."""

import json

import attrs

FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_SOURCE_REALTIME_TIMESTAMP"


def command(since: float) -> str:
    """Print the journal's records since `since`, in seconds of the host's own clock."""
    return f"journalctl --no-pager --quiet -o json --output-fields={FIELDS} --since=@{since:.0f}"


@attrs.frozen
class Record:
    """One record: who said what, when (seconds of the logging host's wall clock)."""

    time: float
    who: str
    text: str


def parse(output: str) -> tuple[Record, ...]:
    """Read records, in the order of their times."""
    records = [_record(json.loads(line)) for line in output.splitlines() if line.strip()]
    return tuple(sorted(records, key=lambda record: record.time))


def _record(fields: dict[str, object]) -> Record:
    # the sender's time where journald knows it: its own lags when the machine is busy
    microseconds = fields.get("_SOURCE_REALTIME_TIMESTAMP") or fields["__REALTIME_TIMESTAMP"]
    message = fields.get("MESSAGE")
    if isinstance(message, list):  # bytes that aren't UTF-8
        message = bytes(message).decode(errors="replace")
    return Record(
        time=int(str(microseconds)) / 1e6,
        who=str(fields.get("SYSLOG_IDENTIFIER") or ""),
        text=str(message or "").rstrip(),
    )
