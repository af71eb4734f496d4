"""What a drill does to the lab, each as an act in words and in deed."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from san.lab.errors import LabError
from san.lab.machines import SEGMENTS
from san.run import pyinfra

from . import guest, watch
from .errors import DrillFailedError
from .fault import Act
from .stage import SERVING, STANDBY, Part, Stage

A_MOVE = 150.0  # seconds for a planned move; 25 to 40 are usual under emulation
CONDITION = 180.0  # seconds for something that a step waits for, a boot included

NAMES = {SERVING: "the serving node", STANDBY: "the standby"}


def power_cut(part: Part) -> Act:
    """Cut a node's power."""
    return Act(f"power of {NAMES[part]} cut", lambda stage: stage.power_cut(part))


def power_cut_both() -> Act:
    """Cut both nodes' power."""

    def do(stage: Stage) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(stage.power_cut, (SERVING, STANDBY)))

    return Act("power of both nodes cut", do)


def power_on(part: Part) -> Act:
    """Give a node's power back."""
    return Act(f"power of {NAMES[part]} back", lambda stage: stage.power_on(part))


def reset_if_dead(part: Part) -> Act:
    """Press the reset button of a node that doesn't come back by itself."""

    def do(stage: Stage) -> None:
        if not _says(stage, part, "true"):
            stage.reset(part)

    return Act(f"reset of {NAMES[part]}, if it doesn't answer", do)


def reset(part: Part) -> Act:
    """Press a node's reset button."""
    return Act(f"reset of {NAMES[part]}", lambda stage: stage.reset(part))


def freeze(part: Part) -> Act:
    """Stop a node's processors."""
    return Act(f"processors of {NAMES[part]} stopped", lambda stage: stage.freeze(part))


def thaw(part: Part) -> Act:
    """Let a node's processors go on."""
    return Act(f"processors of {NAMES[part]} go on", lambda stage: stage.thaw(part))


def in_guest(part: Part, what: str, script: str) -> Act:
    """Run a script on a node."""

    def do(stage: Stage) -> None:
        stage.ssh(part, script)

    return Act(f"{what} on {NAMES[part]}", do)


def full_load(seconds: float) -> Act:
    """Load both nodes for a while."""

    def do(stage: Stage) -> None:
        for part in (SERVING, STANDBY):
            stage.ssh(part, guest.full_load(seconds))

    return Act("full load on both nodes", do)


def in_guest_again(part: Part, what: str, script: str) -> Act:
    """Undo something on a node; one that was reset meanwhile has forgotten it, or doesn't hear."""
    return Act(f"{what} on {NAMES[part]}", lambda stage: _try(stage, part, script))


def _try(stage: Stage, part: Part, script: str) -> None:
    with contextlib.suppress(LabError):
        stage.ssh(part, script)


def nothing(text: str) -> Act:
    """Mark a moment at which something ends by itself."""
    return Act(text, lambda _: None)


def cut(part: Part, *segments: str) -> Act:
    """Pull a node's cables."""
    return _cables(part, segments, "cut")


def plug(part: Part, *segments: str) -> Act:
    """Plug a node's cables in again."""
    return _cables(part, segments, "back")


def _cables(part: Part, segments: tuple[str, ...], how: str) -> Act:
    def do(stage: Stage) -> None:
        for segment in segments:
            move = stage.lab.link_cut if how == "cut" else stage.lab.link_up
            move(stage.host(part), segment)

    return Act(f"{_cable_names(segments)} of {NAMES[part]} {how}", do)


def _cable_names(segments: tuple[str, ...]) -> str:
    return "all links" if segments == SEGMENTS else " and ".join(segments)


def serial_cut() -> Act:
    """Pull the serial cable."""
    return Act("serial cable cut", lambda stage: stage.lab.serial_cut())


def serial_up() -> Act:
    """Plug the serial cable in again."""
    return Act("serial cable back", lambda stage: stage.lab.serial_up())


def disk_error(part: Part) -> Act:
    """Let a node's backing disk fail."""
    return Act(
        f"disk of {NAMES[part]} fails", lambda stage: stage.lab.disk_error(stage.host(part), "data")
    )


def slow_replication(megabits: float) -> Act:
    """Make a resync last."""
    what = f"replication limited to {megabits:g} Mbit/s" if megabits else "replication fast again"
    return Act(what, lambda stage: stage.lab.bandwidth("replication", megabits))


def bmc_cut(part: Part) -> Act:
    """Take a node's management controller off its power and network."""
    return Act(f"BMC of {NAMES[part]} cut", lambda stage: stage.lab.bmc_cut(stage.host(part)))


def bmc_lie(part: Part) -> Act:
    """Let a node's management controller say ok and do nothing."""
    return Act(f"BMC of {NAMES[part]} lies", lambda stage: stage.lab.bmc_lie(stage.host(part)))


def bmc_back(part: Part) -> Act:
    """Let a node's management controller answer again, and tell the truth."""
    what = f"BMC of {NAMES[part]} as it should be"
    return Act(what, lambda stage: stage.lab.bmc_restore(stage.host(part)))


def resyncs(part: Part) -> Act:
    """Wait until a node, which may be booting, is the target of a resync."""

    def do(stage: Stage) -> None:
        _await(lambda: _says(stage, part, guest.RESYNC), "no resync has begun")

    return Act(f"{NAMES[part]} resyncs", do)


def moves(times: int) -> Act:
    """Move the service to and fro, each time when it has arrived."""

    def do(stage: Stage) -> None:
        sides = (SERVING, STANDBY)
        for number in range(times):
            here, there = sides[number % 2], sides[1 - number % 2]
            stage.ssh(here, guest.MOVE_AWAY)
            arrived = partial(_says, stage, there, guest.LISTENS)
            _await(arrived, f"move {number + 1} of {times} has not arrived", A_MOVE)

    many = "planned move" if times == 1 else f"{times} planned moves to and fro"
    return Act(many, do)


def deploy() -> Act:
    """Begin a run of pyinfra, which the fault then strikes in the middle."""

    def do(stage: Stage) -> None:
        pool = ThreadPoolExecutor(1)
        stage.deploys.append(pool.submit(pyinfra))
        pool.shutdown(wait=False)

    return Act("a deploy begins", do)


def _says(stage: Stage, part: Part, script: str) -> bool:
    with contextlib.suppress(LabError):
        return stage.lab.ssh(stage.host(part), script, check=False, timeout=20).returncode == 0
    return False


def _await(condition: Callable[[], bool], complaint: str, limit: float = CONDITION) -> None:
    if not watch.until(condition, limit):
        raise DrillFailedError(f"{complaint} within {limit:.0f} s")
