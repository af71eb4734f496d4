"""pyinfra, run the way a user runs it: as a command; what it did is read from what it prints."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

import attrs

_COMMAND = re.compile(r"\[([^\]]+)\]\s+>>> ")
_FACT = re.compile(r"\s*\[([^\]]+)\]\s+Loaded fact (\S+)")
_OPERATION = re.compile(r"--> Starting operation: (.+?)\s*$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@attrs.frozen
class Reads:
    """How often a fact was read, and the seconds that its answers took, summed over the hosts."""

    count: int = 0
    seconds: float = 0.0


@attrs.frozen
class Run:
    """One run of pyinfra: how long it took in seconds, what it changed, what it asked of whom."""

    returncode: int
    seconds: float
    changed: int
    """Operations that ran a command, summed over the hosts."""
    commands_per_host: Mapping[str, int]
    """Remote commands, those of facts included."""
    facts: Mapping[str, Reads]
    """By the fact's name. Hosts answer at the same time: their seconds are no part of the run's."""
    log: str = attrs.field(repr=False)

    def to_json(self) -> dict[str, object]:
        """The figures, for a report."""
        return {
            "seconds": round(self.seconds, 2),
            "changed": self.changed,
            "commands_per_host": dict(self.commands_per_host),
        }


def pyinfra(
    *arguments: str,
    inventory: str = "inventory.py",
    deploy: str = "deploy.py",
    directory: Path | None = None,
    seen: Callable[[str], None] = lambda _: None,
) -> Run:
    """Run `pyinfra inventory deploy -y -vv --json`, and call `seen` with each operation it starts.

    `arguments` follow, such as `--data allow_degraded=true`. A run that fails has a returncode.
    """
    program = str(Path(sys.executable).with_name("pyinfra"))
    started = monotonic()
    process = subprocess.Popen(
        [program, "-y", "-vv", "--json", inventory, deploy, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
    )
    commands: Counter[str] = Counter()
    asked: dict[str, float] = {}
    facts: dict[str, Reads] = {}
    log = []
    assert process.stderr is not None  # noqa: S101 (we asked for a pipe)
    assert process.stdout is not None  # noqa: S101
    for raw in process.stderr:
        line = _ANSI.sub("", raw)
        log.append(line)
        if found := _COMMAND.match(line):
            commands[found[1]] += 1
            asked[found[1]] = monotonic()
        elif found := _FACT.match(line):
            host, name = found.groups()
            so_far = facts.get(name, Reads())
            took = monotonic() - asked.get(host, started)
            facts[name] = Reads(so_far.count + 1, so_far.seconds + took)
        elif found := _OPERATION.match(line):
            seen(found[1])
    answer = process.stdout.read()
    process.stdout.close()
    process.stderr.close()
    returncode = process.wait()
    return Run(
        returncode=returncode,
        seconds=monotonic() - started,
        changed=_changed(answer),
        commands_per_host=dict(commands),
        facts=facts,
        log="".join(log),
    )


def _changed(answer: str) -> int:
    """Operations that changed something, of pyinfra's JSON; 0 where it ended before it ran any."""
    results = (json.loads(answer) if answer.strip() else {}).get("results")
    return int(results["totals"]["success"]) if results else 0
