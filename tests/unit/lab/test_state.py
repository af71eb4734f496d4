"""What the lab remembers survives its file."""

from pathlib import Path

import pytest

from san.lab import state
from san.lab.errors import LabError
from san.lab.state import Faults, Snapshot, State

FAULTS = Faults(
    cut=("weasel path-a",),
    broken=("otter data",),
    delay_ms={"path-a": 40.0},
    bandwidth_mbit={"replication": 4.0},
    bmc_cut=("weasel",),
    bmc_lie=("otter",),
)
STATE = State(
    suite="trixie",
    accel="tcg",
    hardware="4f1d0a2b",
    ports={"weasel": 2201, "otter": 2202, "badger": 2203},
    bmc_ports={"weasel": 6201, "otter": 6202},
    faults=FAULTS,
    snapshots={"bare": Snapshot(("weasel", "otter", "badger"), Faults())},
)


def test_round_trip(tmp_path: Path):
    """Written and read, a state is equal."""
    path = tmp_path / "lab.json"
    state.write(path, STATE)
    assert state.read(path) == STATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab.json"]


def test_snapshot_replaces_its_namesake_and_leaves_the_others():
    """Order is the order of first use."""
    newer = Snapshot(("weasel",), FAULTS)
    changed = STATE.with_snapshot("mine", newer).with_snapshot("bare", newer)
    assert list(changed.snapshots) == ["bare", "mine"]
    assert changed.snapshots["bare"] == newer
    assert list(STATE.snapshots) == ["bare"]


def test_no_lab_is_said_with_what_to_do(tmp_path: Path):
    """The sentence names the place and the command."""
    with pytest.raises(LabError, match=f"no lab in {tmp_path}: start one with `san lab up`"):
        state.read(tmp_path / "lab.json")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"suite": "trixie"}'])
def test_unreadable_state_is_no_lab_and_no_traceback(tmp_path: Path, text: str):
    """Unknown is not empty: the way out is `down`."""
    path = tmp_path / "lab.json"
    path.write_text(text)
    with pytest.raises(LabError, match=r"can't be read .* `san lab down`"):
        state.read(path)
