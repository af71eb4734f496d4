"""What the lab remembers between commands: its description, its faults, its snapshots."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from san.lab.errors import LabError


@frozen
class Faults:
    """Faults in force; the keys are `HOST SEGMENT`, `HOST DISK`, a segment or a host."""

    cut: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    delay_ms: Mapping[str, float] = {}
    bandwidth_mbit: Mapping[str, float] = {}
    bmc_cut: tuple[str, ...] = ()
    bmc_lie: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> "Faults":
        """Read what `asdict` has written."""
        return cls(
            cut=tuple(value["cut"]),
            broken=tuple(value["broken"]),
            delay_ms=dict(value["delay_ms"]),
            bandwidth_mbit=dict(value["bandwidth_mbit"]),
            bmc_cut=tuple(value["bmc_cut"]),
            bmc_lie=tuple(value["bmc_lie"]),
        )


@frozen
class Snapshot:
    """One moment of all machines: which were powered on, and the faults then in force."""

    powered: tuple[str, ...]
    faults: Faults
    origin: str = ""
    """What it was deployed from, as a digest (san.drill.origin); empty where nothing was."""


@frozen
class State:
    """A running lab."""

    suite: str
    accel: str
    hardware: str
    ports: Mapping[str, int]
    bmc_ports: Mapping[str, int]
    faults: Faults = Faults()
    snapshots: Mapping[str, Snapshot] = {}

    def with_snapshot(self, name: str, snapshot: Snapshot) -> "State":
        """Add or replace a snapshot."""
        return evolve(self, snapshots={**self.snapshots, name: snapshot})


def dump(state: State) -> str:
    """Write a state as JSON."""
    return json.dumps(asdict(state), indent=2) + "\n"


def parse(text: str) -> State:
    """Read a state that `dump` has written."""
    value = json.loads(text)
    snapshots = {
        name: Snapshot(
            tuple(taken["powered"]), Faults.parse(taken["faults"]), taken.get("origin", "")
        )
        for name, taken in value["snapshots"].items()
    }
    return State(
        suite=value["suite"],
        accel=value["accel"],
        hardware=value["hardware"],
        ports=value["ports"],
        bmc_ports=value["bmc_ports"],
        faults=Faults.parse(value["faults"]),
        snapshots=snapshots,
    )


def read(path: Path) -> State:
    """Read the lab's state file."""
    try:
        return parse(path.read_text())
    except FileNotFoundError:
        msg = f"there is no lab in {path.parent}: start one with `san lab up`"
        raise LabError(msg) from None
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path} can't be read ({error}): `san lab down`, then `san lab up`"
        raise LabError(msg) from error


def write(path: Path, state: State) -> None:
    """Replace the lab's state file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(dump(state))
    staged.rename(path)
