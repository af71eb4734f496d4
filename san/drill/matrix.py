"""The matrix: every fault that the cluster is held against."""

from fnmatch import fnmatchcase

from attrs import evolve

from san.lab.machines import SEGMENTS

from . import guest, strikes
from .errors import DrillRefusedError
from .fault import (
    BOOT,
    MEND,
    QUIET,
    TAKEOVER,
    Act,
    Expectation,
    Fault,
    Step,
)
from .stage import SERVING, STANDBY

SCRIPTS = ("drbddisk", "volume-group", "portal", "arp_filter", "iscsi-target")
"""The resource scripts of the reference cluster, in haresources' order."""
CORE = ("power-cut", "frozen-60", "replication-cut-power-cut", "target-killed")
"""What `make test` runs."""
RETURN = 20.0
"""Seconds after which a machine has its power again: a person's, or a power station's."""
REPAIR = 45.0
"""Seconds after which a cable is back, a clock right, a disk has room again."""
PATIENT = 420.0
"""Seconds for a pair of which both nodes have to boot, or one of them twice."""


def _fault(name: str, title: str, expected: Expectation, *steps: tuple[float, Act]) -> Fault:
    return Fault(name, title, tuple(Step(at, act) for at, act in steps), expected)


def _power() -> list[Fault]:
    over = Expectation(gap=TAKEOVER, serves="standby")
    stays = Expectation(gap=QUIET, serves="serving")
    boots = Expectation(gap=BOOT, limit=PATIENT)
    return [
        _fault(
            "power-cut", "Power cut", over,
            (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
        ),
        _fault(
            "power-cut-standby", "Power cut of the standby", stays,
            (0, strikes.power_cut(STANDBY)), (RETURN, strikes.power_on(STANDBY)),
        ),
        _fault(
            "power-cut-both-serving-first", "Power cut of both, the serving node returns first",
            boots,
            (0, strikes.power_cut_both()),
            (5, strikes.power_on(SERVING)), (60, strikes.power_on(STANDBY)),
        ),
        _fault(
            "power-cut-both-standby-first", "Power cut of both, the standby returns first", boots,
            (0, strikes.power_cut_both()),
            (5, strikes.power_on(STANDBY)), (60, strikes.power_on(SERVING)),
        ),
        _fault("reset", "Reset", over, (0, strikes.reset(SERVING))),
        _fault(
            "panic", "Kernel panic", over,
            (0, strikes.in_guest(SERVING, "kernel panic", guest.PANIC)),
            (75, strikes.reset_if_dead(SERVING)),
        ),
        _fault(
            "second-takeover-in-resync", "Second power cut during the resync of the first", boots,
            (-2, strikes.slow_replication(1)),
            (0, strikes.power_cut(SERVING)),
            (30, strikes.power_on(SERVING)),
            (31, strikes.resyncs(SERVING)),
            (32, strikes.power_cut(STANDBY)),
            (50, strikes.slow_replication(0)),
            (52, strikes.power_on(STANDBY)),
        ),
        _fault(
            "crash-in-first-sync", "Power cut during the first sync", boots,
            (-10, strikes.slow_replication(8)),
            (-8, strikes.in_guest(STANDBY, "all data declared missing", guest.INVALIDATE)),
            (0, strikes.power_cut(SERVING)),
            (5, strikes.slow_replication(0)),
            (RETURN, strikes.power_on(SERVING)),
        ),
    ]  # fmt: skip


def _stalls() -> list[Fault]:
    either = Expectation(gap=TAKEOVER)
    over = evolve(either, serves="standby")
    return [
        *(
            _fault(
                f"frozen-{seconds}", f"Frozen for {seconds} s", expected,
                (0, strikes.freeze(SERVING)), (seconds, strikes.thaw(SERVING)),
            )
            for seconds, expected in ((20, either), (60, over), (180, over))
        ),
        _fault(
            "user-space-stopped", "User space stopped for 60 s", either,
            (0, strikes.in_guest(SERVING, "SIGSTOP to all", guest.stop_user_space(60))),
            (60, strikes.nothing("SIGCONT to all")),
        ),
        _fault(
            "fork-bomb", "Fork bomb for 60 s", either,
            (0, strikes.in_guest(SERVING, "fork bomb", guest.fork_bomb(60))),
            (60, strikes.nothing("fork bomb over")),
        ),
    ]  # fmt: skip


def _links() -> list[Fault]:
    stays = Expectation(gap=QUIET, serves="serving")
    # The standby doesn't have what was acknowledged without it: nobody serves until that is back.
    waits = Expectation(gap=BOOT, limit=PATIENT)
    cable_a, cable_b = SEGMENTS[1:]
    return [
        _fault(
            "replication-cut", "Replication link cut", stays,
            (0, strikes.cut(SERVING, "replication")),
            (REPAIR, strikes.plug(SERVING, "replication")),
        ),
        _fault(
            "replication-cut-power-cut", "Replication link cut, then power cut", waits,
            (0, strikes.cut(SERVING, "replication")),
            (15, strikes.power_cut(SERVING)),
            (30, strikes.power_on(SERVING)),
            (40, strikes.plug(SERVING, "replication")),
        ),
        _fault(
            "heartbeat-serial-cut", "Serial cable cut", stays,
            (0, strikes.serial_cut()), (REPAIR, strikes.serial_up()),
        ),
        _fault(
            "heartbeat-network-cut", "Heartbeat's network link deaf, replication goes on", stays,
            (0, strikes.in_guest(SERVING, "Heartbeat's port closed", guest.DEAF)),
            (REPAIR, strikes.in_guest_again(SERVING, "Heartbeat's port open", guest.HEARS)),
        ),
        _fault(
            "heartbeat-all-cut", "All of Heartbeat's links cut, replication goes on",
            Expectation(gap=TAKEOVER),
            (0, strikes.serial_cut()),
            (0, strikes.in_guest(SERVING, "Heartbeat's port closed", guest.DEAF)),
            (REPAIR, strikes.serial_up()),
            (REPAIR, strikes.in_guest_again(SERVING, "Heartbeat's port open", guest.HEARS)),
        ),
        # Without STONITH nobody can know that the other one is dead: I/O waits for the links.
        *(
            evolve(
                _fault(
                    name, title, Expectation(gap=TAKEOVER + REPAIR),
                    (0, strikes.serial_cut()), (0, strikes.cut(SERVING, *segments)),
                    (REPAIR, strikes.serial_up()), (REPAIR, strikes.plug(SERVING, *segments)),
                ),
                fenced=Expectation(gap=TAKEOVER),
            )
            for name, title, segments in (
                ("heartbeat-and-replication-cut", "Heartbeat's links and replication cut",
                 SEGMENTS[:1]),
                ("all-links-cut", "All links of the serving node cut", SEGMENTS),
            )
        ),
        *(
            _fault(
                f"storage-cable-{name[-1]}", f"Storage cable {name} cut", evolve(stays, gap=MEND),
                (0, strikes.cut(SERVING, name)), (REPAIR, strikes.plug(SERVING, name)),
            )
            for name in (cable_a, cable_b)
        ),
        _fault(
            "storage-cables", "Both storage cables cut",
            Expectation(gap=TAKEOVER, serves="standby"),
            (0, strikes.cut(SERVING, cable_a, cable_b)),
            (90, strikes.plug(SERVING, cable_a, cable_b)),
        ),
    ]  # fmt: skip


def _programs() -> list[Fault]:
    mended = Expectation(gap=MEND)
    kill = strikes.in_guest(SERVING, "tgtd killed", guest.signal("KILL", "tgtd"))
    return [
        _fault("target-killed", "Target daemon killed", mended, (0, kill)),
        _fault(
            "target-hung", "Target daemon hung", mended,
            (0, strikes.in_guest(SERVING, "tgtd stopped", guest.signal("STOP", "tgtd"))),
        ),
        _fault(
            "target-killed-again", "Target daemon killed again and again",
            Expectation(gap=TAKEOVER),
            *((seconds, kill) for seconds in (0, 20, 40, 60, 80)),
        ),
        _fault(
            "heartbeat-killed", "Heartbeat killed", Expectation(gap=TAKEOVER),
            (0, strikes.in_guest(SERVING, "Heartbeat killed", guest.KILL_HEARTBEAT)),
        ),
        _fault(
            "heartbeat-parts-killed", "Heartbeat's parts killed", Expectation(gap=TAKEOVER),
            (0, strikes.in_guest(SERVING, "Heartbeat's parts killed", guest.KILL_HEARTBEAT_PARTS)),
        ),
    ]  # fmt: skip


def _scripts() -> list[Fault]:
    found = []
    for name in SCRIPTS:
        fails = guest.wrap(name, "start", "exit 1", times=1)
        hangs = guest.wrap(name, "start", "exec sleep 3600", times=1)
        stays = guest.wrap(name, "stop", "exit 1", times=1)
        found += [
            _fault(
                f"{name}-fails-to-start", f"{name} fails to start once, in a takeover",
                Expectation(gap=2 * TAKEOVER, serves="standby"),
                (-3, strikes.in_guest(STANDBY, f"{name} will fail to start", fails)),
                (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
            ),
            _fault(
                f"{name}-hangs", f"{name} hangs once, in a takeover",
                Expectation(gap=3 * TAKEOVER, serves="standby"),
                (-3, strikes.in_guest(STANDBY, f"{name} will hang at its start", hangs)),
                (0, strikes.power_cut(SERVING)), (RETURN, strikes.power_on(SERVING)),
            ),
            _fault(
                f"{name}-fails-to-stop", f"{name} fails to stop once, in a planned move",
                Expectation(gap=2 * TAKEOVER),
                (-3, strikes.in_guest(SERVING, f"{name} will fail to stop", stays)),
                (0, strikes.in_guest(SERVING, "planned move", guest.MOVE_AWAY)),
            ),
        ]  # fmt: skip
    return found


def _storage_and_time() -> list[Fault]:
    stays = Expectation(gap=QUIET, serves="serving")
    replace = "replace the disk and attach it"
    found = [
        _fault(
            f"disk-error-{part}", f"Disk of {strikes.NAMES[part]} fails",
            evolve(stays, gap=MEND, serves="either", person=replace),
            (0, strikes.disk_error(part)),
        )
        for part in (SERVING, STANDBY)
    ]  # fmt: skip
    found += [
        _fault(
            f"disk-full-{name}", f"No room on {path}", stays,
            (0, strikes.in_guest(SERVING, f"no room on {path}", guest.fill(path))),
            (REPAIR, strikes.in_guest_again(SERVING, f"room on {path}", guest.room(path))),
        )
        for name, path in (("root", "/"), ("var", "/var"), ("run", "/run"))
    ]  # fmt: skip
    for name, seconds in (("ahead", 3600), ("back", -3600)):
        right = guest.clock(-seconds)
        found.append(
            evolve(
                _fault(
                    f"clock-{name}", f"Clock an hour {name}", stays,
                    (0, strikes.in_guest(SERVING, f"clock set {name}", guest.clock(seconds))),
                    (REPAIR, strikes.in_guest_again(SERVING, "clock set right", right)),
                ),
                clock_back=3600.0,
            )
        )  # fmt: skip
    return found


def _moves() -> list[Fault]:
    return [
        _fault(
            "moves-20", "Planned move to and fro, 20 times",
            Expectation(gap=TAKEOVER, serves="serving"), (0, strikes.moves(20)),
        )
    ]  # fmt: skip


def _in_a_deploy(fault: Fault) -> Fault:
    """The same fault, in the middle of a deploy that began four seconds before."""
    steps = sorted((Step(-4, strikes.deploy()), *fault.steps), key=lambda step: step.at)
    return evolve(
        fault,
        name=f"{fault.name}-in-deploy",
        title=f"{fault.title}, in the middle of a deploy",
        steps=tuple(steps),
    )


def _all() -> dict[str, Fault]:
    plain = [*_power(), *_stalls(), *_links(), *_programs(), *_storage_and_time(), *_scripts()]
    faults = [*plain, *_moves(), *(_in_a_deploy(fault) for fault in plain[:10])]
    return {fault.name: fault for fault in faults}


FAULTS = _all()
"""Every fault by its name, in the order in which `san drill all` plays them."""


def find(name: str) -> Fault:
    """A fault by its name; refused where there is none."""
    if name not in FAULTS:
        raise DrillRefusedError(f"there is no fault {name!r}; `san drill list` names them all")
    return FAULTS[name]


def chosen(pattern: str) -> list[Fault]:
    """The faults whose names match a shell pattern; refused where none does."""
    found = [fault for name, fault in FAULTS.items() if fnmatchcase(name, pattern)]
    if not found:
        raise DrillRefusedError(f"no fault matches {pattern!r}; `san drill list` names them all")
    return found
