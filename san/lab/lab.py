"""A running lab, as other code uses it."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from attrs import evolve

from san.lab import faults, lock, power, qmp, remote, snapshots, state
from san.lab.errors import LabError
from san.lab.layout import Layout, default_directory
from san.lab.machines import MACHINES, SERIAL, WEASEL, check_bmc, check_segment, machine
from san.lab.state import Faults, State


class Lab:
    """Two storage nodes and a client; every method returns when its effect is there."""

    hosts: Sequence[str] = tuple(MACHINES)

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @classmethod
    def open(cls, state_dir: Path | None = None) -> "Lab":
        """Find the running lab in `state_dir` (the project's own by default)."""
        layout = Layout(state_dir or default_directory())
        state.read(layout.state)
        return cls(layout)

    @property
    def state(self) -> State:
        """What the lab remembers, as of now."""
        return state.read(self.layout.state)

    @property
    def accel(self) -> str:
        """`kvm` or `tcg`."""
        return self.state.accel

    @property
    def suite(self) -> str:
        """The Debian release on the machines."""
        return self.state.suite

    @property
    def ssh_config(self) -> Path:
        """Absolute path of the ssh_config that reaches all machines."""
        return self.layout.ssh_config

    # The machines.

    def ssh(
        self,
        host: str,
        command: str,
        *,
        check: bool = True,
        timeout: float = 120.0,
        input: str | None = None,  # noqa: A002 (subprocess.run's name)
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root on `host`; `timeout` in seconds."""
        machine(host)
        return remote.run(self.ssh_config, host, command, check=check, timeout=timeout, stdin=input)

    def kept(self, host: str) -> AbstractContextManager[None]:
        """Keep one ssh connection to `host`, so that commands there cost no login meanwhile."""
        machine(host)
        return remote.kept(self.ssh_config, host)

    def powered(self, host: str) -> bool:
        """Whether `host` is powered on."""
        machine(host)
        return power.powered(self.layout, host)

    def wait_ssh(
        self, hosts: Sequence[str] | None = None, limit_s: float = remote.BOOT_LIMIT_S
    ) -> None:
        """Wait until `hosts` (by default all that are powered on) run commands."""
        ports = self.state.ports
        chosen = power.powered_hosts(self.layout) if hosts is None else hosts
        remote.wait(self.ssh_config, {host: ports[host] for host in chosen}, limit_s)

    def set_clocks(self, hosts: Sequence[str] | None = None) -> Mapping[str, remote.Clock]:
        """Set clocks (by default of all that are powered on) to this machine's; say how well.

        A machine that was powered on or reset is right to a second only: set it before comparing.
        """
        chosen = power.powered_hosts(self.layout) if hosts is None else hosts
        return remote.set_clocks(self.ssh_config, chosen)

    def power_cut(self, host: str) -> None:
        """Take the power away: the guest isn't told, and its memory is gone."""
        machine(host)
        with lock.locked(self.layout):
            power.off(self.layout, host)

    def power_on(self, host: str) -> None:
        """Give the power back; returns when the machine has begun to boot (see `wait_ssh`)."""
        machine(host)
        with lock.locked(self.layout):
            if power.powered(self.layout, host):
                msg = f"{host} is powered on already"
                raise LabError(msg)
            now = self.state
            power.on(self.layout, now, host)
            faults.apply_to_machine(self.layout, host, now.faults)

    def reset(self, host: str) -> None:
        """Press the reset button; the machine begins to boot."""
        machine(host)
        qmp.execute(self.layout.qmp(host), "system_reset")

    def freeze(self, host: str) -> None:
        """Stop the processors: the machine hears nothing, and its own clock stands still."""
        machine(host)
        qmp.execute(self.layout.qmp(host), "stop")

    def thaw(self, host: str) -> None:
        """Let the processors of `host` go on where they were."""
        machine(host)
        qmp.execute(self.layout.qmp(host), "cont")

    def read_clocks(self, hosts: Sequence[str]) -> Mapping[str, remote.Clock]:
        """Tell the clocks of `hosts` and leave them as they are."""
        return remote.read_clocks(self.ssh_config, hosts)

    # Faults. They stay in force over power cuts; a restored snapshot brings its own.

    def link_cut(self, host: str, segment: str) -> None:
        """Pull the cable from `host` to `segment`."""
        link = faults.link(host, segment)
        self._fault(host, lambda now: evolve(now, cut=_with(now.cut, link)))

    def link_up(self, host: str, segment: str) -> None:
        """Plug the cable from `host` to `segment` in again."""
        link = faults.link(host, segment)
        self._fault(host, lambda now: evolve(now, cut=_without(now.cut, link)))

    def serial_cut(self) -> None:
        """Pull the serial cable between both nodes."""
        self._fault(WEASEL.name, lambda now: evolve(now, cut=_with(now.cut, SERIAL)))

    def serial_up(self) -> None:
        """Plug the serial cable in again."""
        self._fault(WEASEL.name, lambda now: evolve(now, cut=_without(now.cut, SERIAL)))

    def disk_error(self, host: str, disk: str) -> None:
        """Make every read, write and flush of `disk` fail with an I/O error."""
        name = faults.disk(host, disk)
        self._fault(host, lambda now: evolve(now, broken=_with(now.broken, name)))

    def disk_heal(self, host: str, disk: str) -> None:
        """Let `disk` work again, with the contents it had."""
        name = faults.disk(host, disk)
        self._fault(host, lambda now: evolve(now, broken=_without(now.broken, name)))

    def delay(self, segment: str, milliseconds: float) -> None:
        """Delay frames on `segment` by this much in each direction; 0 ends it.

        The delay lies between both nodes on `replication`, between client and nodes on a path.
        """
        check_segment(segment)
        self._slow(segment, lambda f: evolve(f, delay_ms={**f.delay_ms, segment: milliseconds}))

    def bandwidth(self, segment: str, megabits: float) -> None:
        """Limit `segment`, where its delay lies, to this many Mbit/s each way; 0 ends it."""
        check_segment(segment)
        limits = {segment: megabits}
        self._slow(segment, lambda f: evolve(f, bandwidth_mbit={**f.bandwidth_mbit, **limits}))

    def bmc_cut(self, host: str) -> None:
        """Take the BMC of `host` off its power or network: nobody gets an answer."""
        check_bmc(host)
        self._remember(lambda now: evolve(now, bmc_cut=_with(now.bmc_cut, host)))

    def bmc_lie(self, host: str) -> None:
        """Let the BMC of `host` answer 'done' to what changes the power, and do nothing."""
        check_bmc(host)
        self._remember(lambda now: evolve(now, bmc_lie=_with(now.bmc_lie, host)))

    def bmc_restore(self, host: str) -> None:
        """Let the BMC of `host` answer again, and tell the truth."""
        check_bmc(host)
        self._remember(
            lambda now: evolve(
                now, bmc_cut=_without(now.bmc_cut, host), bmc_lie=_without(now.bmc_lie, host)
            )
        )

    # Snapshots.

    def snapshots(self) -> Sequence[str]:
        """Names of the snapshots, oldest first."""
        return tuple(self.state.snapshots)

    def snapshot(self, name: str, *, origin: str = "") -> None:
        """Keep this moment of all machines, memory and disks, as `name` (replacing it).

        `origin` says what was deployed (san.drill.origin); the snapshot remembers it.
        """
        with lock.locked(self.layout):
            kept = snapshots.save(self.layout, self.state, name, origin=origin)
            state.write(self.layout.state, kept)

    def restore(self, name: str) -> Mapping[str, remote.Clock]:
        """Bring all machines to the moment `name`; returns when they answer, clocks set."""
        with lock.locked(self.layout):
            now = self.state
            taken = snapshots.load(self.layout, now, name)
            state.write(self.layout.state, evolve(now, faults=taken.faults))
            faults.apply_to_segments(self.layout, taken.faults)
            for host in taken.powered:
                faults.apply_to_machine(self.layout, host, taken.faults)
            snapshots.go_on(self.layout, taken)
        self.wait_ssh(taken.powered)
        return self.set_clocks(taken.powered)

    def _fault(self, host: str, change: Callable[[Faults], Faults]) -> None:
        """Change the faults of `host`, and put them in force if it is powered on."""
        with lock.locked(self.layout):
            now = self.state
            changed = change(now.faults)
            if power.powered(self.layout, host):
                faults.apply_to_machine(self.layout, host, changed)
            state.write(self.layout.state, evolve(now, faults=changed))

    def _remember(self, change: Callable[[Faults], Faults]) -> None:
        """Change faults that nothing has to be told of: a BMC looks them up at each request."""
        with lock.locked(self.layout):
            now = self.state
            state.write(self.layout.state, evolve(now, faults=change(now.faults)))

    def _slow(self, segment: str, change: Callable[[Faults], Faults]) -> None:
        """Change how fast `segment` is."""
        with lock.locked(self.layout):
            now = self.state
            changed = change(now.faults)
            faults.apply_to_segments(self.layout, changed, [segment])
            state.write(self.layout.state, evolve(now, faults=changed))


def _with(names: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))


def _without(names: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names} - {name}))
