"""The reference cluster set up in other ways on the lab's machines, to be measured beside ours.

Files as they land on the hosts are in the folder of each way, and in `common` what they share.
"""

import base64
import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from san.drill import pair, watch
from san.drill.client import Client
from san.drill.errors import DrillError, DrillFailedError
from san.lab import power
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.lifecycle import BARE
from san.lab.progress import Report as Progress

HERE = Path(__file__).parent
COMMON = HERE / "common"

NODES = ("weasel", "otter")
CLIENT = "badger"
PATHS = 2

INSTALL = 900.0
"""Seconds for a host's packages: under emulation Pacemaker's take minutes."""
SCRIPT = 300.0
"""Seconds for one of the scripts."""
START = 240.0
"""Seconds until both portals answer; Heartbeat waits for its `initdead` first."""
MAPPED = 60.0
"""Seconds until multipath has both paths."""

# No daemon starts before its configuration is there: this keeps maintainer scripts from it.
_LATER = "install -m 755 /dev/stdin /usr/sbin/policy-rc.d"
_INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"
_NOW = "rm /usr/sbin/policy-rc.d"
_UNPACK = "base64 -d | tar --extract --no-same-owner --directory /"

ON_NODES = ("drbd-utils", "lvm2", "resource-agents", "tgt")
ON_CLIENT = ("open-iscsi", "multipath-tools")


@frozen
class Rival:
    """A way to set the cluster up."""

    name: str
    """Also its folder's."""
    packages: Sequence[str]
    """Of the nodes, beside ON_NODES."""

    @property
    def directory(self) -> Path:
        """Its files and its script."""
        return HERE / self.name

    @property
    def snapshot(self) -> str:
        """The lab's snapshot of it, by what it is made of: a changed file makes another one."""
        digest = hashlib.sha256(repr((self.packages, ON_NODES, ON_CLIENT)).encode())
        for path in (Path(__file__), *_files(COMMON), *_files(self.directory)):
            digest.update(f"{path.relative_to(HERE)} {path.stat().st_mode:o}\n".encode())
            digest.update(path.read_bytes())
        return f"{self.name.replace('_', '-')}-{digest.hexdigest()[:8]}"


BY_HAND = Rival("by_hand", ("cluster-glue", "heartbeat"))
"""The guide's configuration with stock scripts; STGT in the place of IET, which no current kernel
builds."""

PACEMAKER = Rival("pacemaker", ("corosync", "pacemaker", "pacemaker-cli-utils"))
"""Pacemaker and Corosync with the stock OCF agents."""


def set_up(lab: Lab, rival: Rival, progress: Progress) -> None:
    """Set a rival up on bare machines and keep it as its snapshot, unless there is one.

    Raises LabError where a host refuses, DrillFailedError where the cluster doesn't serve in time.
    """
    if rival.snapshot in lab.snapshots():
        return
    with progress.step(f"{rival.name}: the lab's machines back to {BARE}"):
        lab.restore(BARE)
    with progress.step(f"{rival.name}: packages"):
        _everywhere(lab, rival)
    with progress.step(f"{rival.name}: replica and volume"):
        _run(lab, NODES[0], COMMON / "first.sh")
    with progress.step(f"{rival.name}: start"):
        power.each(NODES, lambda host: _run(lab, host, rival.directory / "start.sh"))
        _connect(lab)
    lab.snapshot(rival.snapshot)


def _everywhere(lab: Lab, rival: Rival) -> None:
    """Packages first: what they bring in /etc is overwritten, and no question asked about it."""

    def prepare(host: str) -> None:
        part = "client" if host == CLIENT else "node"
        packages = ON_CLIENT if host == CLIENT else (*ON_NODES, *rival.packages)
        lab.ssh(host, _LATER, input="#!/bin/sh\nexit 101\n")
        lab.ssh(host, f"{_INSTALL} {' '.join(packages)} && {_NOW}", timeout=INSTALL)
        for tree in (COMMON / part, rival.directory / part):
            lab.ssh(host, _UNPACK, input=_archive(tree))
        _run(lab, host, COMMON / f"{part}.sh")

    power.each((*NODES, CLIENT), prepare)


def _connect(lab: Lab) -> None:
    """Log the client in as soon as both portals answer, and wait for both paths."""

    def logged_in() -> bool:
        script = (COMMON / "login.sh").read_text()
        return not lab.ssh(CLIENT, "sh -s", check=False, timeout=SCRIPT, input=script).returncode

    def whole() -> bool:
        try:
            pair.serving(pair.replicas(lab, NODES))
            return len(Client(lab, CLIENT).disk().paths) == PATHS
        except (DrillError, LabError):
            return False

    if not watch.until(logged_in, START, every=3):
        raise DrillFailedError(
            f"{CLIENT} finds no target on both portals within {START:.0f} s; look at `journalctl` "
            f"on {' and '.join(NODES)}"
        )
    if not watch.until(whole, MAPPED):
        raise DrillFailedError(
            f"{CLIENT} has no multipath disk with {PATHS} paths within {MAPPED:.0f} s; look at "
            "`multipath -ll` there"
        )


def _run(lab: Lab, host: str, script: Path) -> None:
    lab.ssh(host, "sh -s", timeout=SCRIPT, input=script.read_text())


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _archive(tree: Path) -> str:
    """Pack a tree's files, by their paths below it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in _files(tree):
            archive.add(path, path.relative_to(tree))
    return base64.b64encode(packed.getvalue()).decode()
