"""The client under a drill: its multipath disk, and the writer that runs on it."""

import json
import re
import shlex
from pathlib import Path, PurePosixPath

import attrs

from san.lab.lab import Lab

from . import writer
from .errors import DrillRefusedError
from .pair import ANSWER

UNIT = "san-drill"
HOME = PurePosixPath("/run/san-drill")  # tmpfs: the drilled disk can't take the log with it
SCRIPT = HOME / "writer.py"
LOG = HOME / "acks.log"
# 256 MiB, more than a drill writes in emulation: a position written again would hide that what
# was acknowledged there before is lost
REGION = 65536  # blocks
SEED = 1  # of the order in which positions are written: a drill is the same one every time
STOPPING = 60.0  # seconds: a write in flight ends first
READING = 300.0  # seconds: 256 MiB over an emulated network

# every multipath map with its size in sectors and its paths; a path's session tells it is iSCSI
_LIST_MAPS = r"""
for map in /sys/block/dm-*; do
  case "$(cat "$map/dm/uuid" 2>/dev/null)" in mpath-*) ;; *) continue ;; esac
  echo "map $(cat "$map/dm/name") $(cat "$map/size")"
  for path in "$map"/slaves/*; do
    echo "path ${path##*/} $(cat "$path/device/state") $(readlink -f "$path/device")"
  done
done
"""


@attrs.frozen
class Disk:
    """A multipath map whose paths are iSCSI."""

    name: str
    bytes: int
    paths: tuple[tuple[str, str], ...]
    """Each path's device and state; `running` is the good one."""

    @property
    def device(self) -> str:
        """The device file."""
        return f"/dev/mapper/{self.name}"

    @property
    def blocks(self) -> int:
        """How many blocks of it the drill goes round."""
        return min(REGION, self.bytes // writer.BLOCK)


def parse_maps(text: str) -> tuple[Disk, ...]:
    """Read what _LIST_MAPS prints."""
    disks = []
    for entry in re.split(r"^map ", text, flags=re.MULTILINE)[1:]:
        head, *lines = entry.splitlines()
        name, sectors = head.split()
        paths = [line.split(maxsplit=3)[1:] for line in lines]
        if paths and all("/session" in where for _, _, where in paths):
            states = tuple((path, state) for path, state, _ in paths)
            disks.append(Disk(name, int(sectors) * 512, states))
    return tuple(disks)


def the_disk(disks: tuple[Disk, ...], client: str) -> Disk:
    """Choose the disk to write to; refused unless there is one, with all its paths."""
    if len(disks) != 1:
        names = ", ".join(disk.name for disk in disks) or "none"
        raise DrillRefusedError(
            f"{client} has {names} as multipath maps over iSCSI, and a drill writes to exactly "
            "one; log in to the target, or leave one LUN mapped"
        )
    for path, state in disks[0].paths:
        if state != "running":
            raise DrillRefusedError(
                f"path {path} of {disks[0].name} on {client} is {state}: the drill starts from "
                "whole paths; see `multipath -ll` there"
            )
    return disks[0]


class Client:
    """The client host, and the writer on it."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.name = name
        self._lab = lab

    def _run(self, *words: object, timeout: float = ANSWER) -> str:
        command = shlex.join(map(str, words))
        return self._lab.ssh(self.name, command, timeout=timeout).stdout

    def disk(self) -> Disk:
        """Find the client's disk."""
        found = self._lab.ssh(self.name, _LIST_MAPS, timeout=ANSWER).stdout
        return the_disk(parse_maps(found), self.name)

    def prepare(self) -> Disk:
        """Find the disk and put the writer there; refused where the drill may not write."""
        disk = self.disk()
        self.install()
        self.refuse_foreign_data(disk)
        return disk

    def install(self) -> None:
        """Put the writer where it runs."""
        state = self._lab.ssh(
            self.name, f"systemctl is-active {UNIT}", check=False, timeout=ANSWER
        ).stdout.strip()
        if state not in {"inactive", "failed", "unknown"}:
            raise DrillRefusedError(
                f"a writer is already at work on {self.name} (unit {UNIT} is {state}): one drill "
                f"at a time; end it there with `systemctl stop {UNIT}`"
            )
        prepare = f"rm -rf {HOME} && mkdir -m 700 {HOME} && cat > {SCRIPT}"
        source = Path(writer.__file__).read_text()
        self._lab.ssh(self.name, prepare, timeout=ANSWER, input=source)

    def refuse_foreign_data(self, disk: Disk) -> None:
        """Refuse a disk that holds anything but an earlier drill's blocks."""
        # -p looks at the disk itself, not at a cache; it exits 2 where it recognises nothing
        seen = self._lab.ssh(
            self.name,
            f"blkid -p -o value -s TYPE -s PTTYPE {shlex.quote(disk.device)}",
            check=False,
            timeout=ANSWER,
        )
        found = " ".join(seen.stdout.split())
        if seen.returncode != 2:  # noqa: PLR2004 (blkid's own)
            raise DrillRefusedError(
                f"{disk.device} on {self.name} carries {found or 'several signatures'}: the drill "
                "overwrites its disk and takes only one that is empty or its own"
            )
        foreign = json.loads(self._run("python3", SCRIPT, "inspect", disk.device))["foreign"]
        if foreign is not None:
            raise DrillRefusedError(
                f"block {foreign} of {disk.device} on {self.name} holds data that no drill wrote: "
                "the drill overwrites its disk and takes only one that is empty or its own"
            )

    def start(self, disk: Disk, run: bytes, *, depth: int = 1) -> None:
        """Start the writer with `depth` writes in flight; it goes on without us."""
        numbers = (disk.blocks, depth, SEED)
        write = ("python3", SCRIPT, "write", disk.device, LOG, run.hex(), *numbers)
        self._run("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", *write)

    def acked(self) -> int:
        """Count the writes acknowledged so far."""
        counted = self._lab.ssh(self.name, f"grep -c ^ack {LOG}", check=False, timeout=ANSWER)
        return int(counted.stdout or 0)

    def complaint(self) -> str:
        """What the writer said last on its standard error."""
        said = self._run("journalctl", "--no-pager", "-o", "cat", "-n", 1, "-u", UNIT)
        return said.strip()

    def stop(self) -> None:
        """End the writer and wait for its end."""
        self._run("systemctl", "stop", UNIT, timeout=STOPPING)

    def let_go(self) -> None:
        """Ask the writer to end, without waiting: its write may be stuck."""
        self._lab.ssh(self.name, f"systemctl --no-block stop {UNIT}", check=False, timeout=ANSWER)

    def log(self) -> str:
        """Fetch the log of acknowledgements."""
        return self._run("cat", LOG, timeout=READING)

    def verify(self, disk: Disk) -> dict[str, object]:
        """Read every acknowledged block back."""
        answer = self._run("python3", SCRIPT, "verify", disk.device, LOG, timeout=READING)
        verdict: dict[str, object] = json.loads(answer)
        return verdict
