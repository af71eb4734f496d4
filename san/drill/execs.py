"""How many programs a host starts: exec events, as its kernel's process connector tells them.

A program on the host logs them (templates/execs.pl). What is started over ssh counts like anything
else, so nothing is asked of the host meanwhile.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import attrs

from san.lab.lab import Lab

from .clock import Timebase
from .errors import DrillFailedError
from .pair import ANSWER

UNIT = "san-execs"
HOME = PurePosixPath("/run/san-execs")  # tmpfs: logging waits for no disk
LOG = HOME / "execs.log"

_SCRIPT = Path(__file__).with_name("templates") / "execs.pl"
# The unit has started when the script's first process ends: the kernel tells of execs by then. It
# goes first, or it would look at a process that has ended.
_START = f"""
systemctl stop {UNIT} 2>/dev/null || :
rm -rf {HOME} && mkdir -m 700 {HOME} && cat >{HOME}/execs.pl
systemd-run --quiet --collect --unit={UNIT} --property=Type=forking --property=Nice=-10 \\
    perl {HOME}/execs.pl {LOG} || {{ journalctl --no-pager -o cat -n 3 -u {UNIT} >&2; exit 1; }}
"""


@attrs.frozen
class Exec:
    """A program was started: when (seconds of our clock), by whom, and its command line."""

    time: float
    pid: int
    parent: int
    """0 where the process had ended before it was looked at; its command is empty then."""
    command: str


def start(lab: Lab, host: str) -> None:
    """Begin to log every exec of `host`; returns when none is missed any more."""
    lab.ssh(host, _START, timeout=ANSWER, input=_SCRIPT.read_text())


def collect(lab: Lab, host: str) -> str:
    """End the logging and return what was logged."""
    return lab.ssh(host, f"systemctl stop {UNIT} && cat {LOG}", timeout=ANSWER).stdout


def parse(log: str, base: Timebase) -> tuple[Exec, ...]:
    """Read what `collect` returned; raises DrillFailedError where events were missed."""
    boot = ""
    found: list[Exec] = []
    for line in log.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "boot":
            boot = rest
        elif kind == "exec":
            uptime, pid, parent, *command = rest.split(" ", 3)
            # the wall clock counts only for a boot whose clock nobody read
            time = base.ours(boot, float(uptime), float("nan"))
            found.append(Exec(time, int(pid), int(parent), "".join(command)))
        else:
            raise DrillFailedError(
                f"exec events are missing from the host's log ({line}): it started more programs "
                "at once than could be logged, and a count would be too small"
            )
    return tuple(found)


def within(execs: Iterable[Exec], start: float, end: float) -> tuple[Exec, ...]:
    """Those from `start` to `end`, both in seconds of our clock."""
    return tuple(each for each in execs if start <= each.time <= end)
