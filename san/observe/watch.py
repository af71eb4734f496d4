"""The watch over the group: whether it runs, and what its last look found."""

import json
from collections.abc import Iterable
from typing import Any, Literal, get_args

import attrs

from . import services
from .sections import UnreadableError, split

DAEMON = "san-watch"
UNIT = "san-watch.service"
REPORT = "/run/san/watch.json"
"""Written whole after each look."""

STALE = 30
"""Seconds after which a look says nothing any more; there is one every few seconds."""

Role = Literal["serving", "standing by", "idle", "unknown"]
"""By DRBD's word; `idle`: neither this node nor its peer is Primary."""


@attrs.frozen
class Finding:
    """Something that isn't as it should be."""

    what: str
    """`iqn.2009-02.com.example:test at 192.168.1.1`, `link eth2`, …"""
    said: str
    seconds: float
    """Since when, from the look on."""
    sure: bool
    """Whether it failed in two looks; before that it is a doubt."""


@attrs.frozen
class Report:
    """What the last look found, and what was done before it."""

    age: float
    """Seconds since that look."""
    role: Role
    checks: int
    findings: tuple[Finding, ...]
    waits: str | None
    """Why nothing is done about them, where it says so."""
    action: str | None
    """What it did last."""
    outcome: str | None
    """How that ended; None while it goes on, or where it did nothing."""
    move: str | None
    """Why it moved the group to the other node last."""
    moved: int
    """Moves that count against the limit."""

    @property
    def stale(self) -> bool:
        """Whether it is too old to say how things are."""
        return self.age > STALE


@attrs.frozen
class WatchState:
    """The watch on one node."""

    running: bool
    boot: services.Boot
    """What its unit does at boot."""
    report: Report | None
    """None where it has told nothing since the boot."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


def shell() -> str:
    """The text for `sh` whose output `parse` reads, in a section `watch`."""
    return (
        f"{services.shell(daemons=[DAEMON], units=[UNIT])}"
        'read -r up idle </proc/uptime; echo "uptime $up"\n'
        f"if [ -e {REPORT} ]; then exec cat {REPORT}; fi\n"
    )


def parse(output: Iterable[str]) -> WatchState:
    """Read the section `watch` of `facts.watch.Watch`."""
    section = split(output).get("watch")
    if section is None or section.status:
        said = section.text.strip() if section else "it lacks its part"
        raise UnreadableError(f"the watch's report can't be read: {said}")
    found = services.parse(section.lines)
    uptime = next((line for line in section.lines if line.startswith("uptime ")), None)
    text = "\n".join(line for line in section.lines if line.startswith("{"))
    try:
        report = _report(json.loads(text), float(str(uptime).split(" ")[1])) if text else None
    except (IndexError, KeyError, TypeError, ValueError) as problem:
        raise UnreadableError(f"{REPORT} is not what san-watch writes: {problem!r}") from None
    return WatchState(DAEMON in found.running, found.boot.get(UNIT, "absent"), report)


def _report(told: dict[str, Any], uptime: float) -> Report:
    role = told["role"]
    if role not in get_args(Role):
        raise ValueError(f"the role {role!r}")
    action, move = told["action"], told["move"]
    return Report(
        age=round(uptime - told["now"], 2),
        role=role,
        checks=len(told["checks"]),
        findings=tuple(
            Finding(
                each["name"],
                each["say"],
                round(told["now"] - each["since"], 2),
                sure=each["fails"] > 1,
            )
            for each in told["checks"]
            if each["say"] is not None
        ),
        waits=told["waits"] or None,
        action=action["say"] if action else None,
        outcome=action["end"] if action else None,
        move=move["say"] if move else None,
        moved=told["limits"]["moved"] if told["limits"] else 0,
    )
