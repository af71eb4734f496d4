"""A private machine for resource scripts, its initiators, and targets to configure on it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from san.model import Chap, Everyone, Lun, Secret, Target
from san.render.files import node_files

INITIATOR = Path(__file__).with_name("initiator.py")


def run(*command, check=True, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=check, **more)


def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root has namespaces and block devices of its own: run make test as root")


@contextmanager
def loop_device(image, size, *options):
    """A block device of `size` bytes of zeros, over a sparse file."""
    as_root()
    with image.open("wb") as file:
        file.truncate(size)
    done = run("losetup", "--find", "--show", *options, str(image), check=False)
    if done.returncode:
        pytest.skip(
            f"no loop device is to be had ({done.stderr.strip()}), as in most containers: run "
            "make test on a machine, or in a VM"
        )
    device = done.stdout.strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device, check=False)


def holder(*command):
    """A process that holds namespaces of its own, once it has said `ready`."""
    as_root()
    process = subprocess.Popen(("unshare", *command), stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        process.wait()
        pytest.skip("this container may make no namespaces: run make test on a machine, or in a VM")
    return process


class Initiator:
    """A client that is logged in, until it is closed."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.said = self.process.stdout.readline().strip()

    def scsi(self, lun, cdb, data=b""):
        self.process.stdin.write(f"{lun} {cdb} {data.hex()}\n")
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class Machine:
    """The private machine; `devices` holds links to loop devices, as /dev/VG holds volumes."""

    def __init__(self, holder, devices):
        self.enter = ("nsenter", "-t", str(holder), "-m", "-n")
        self.devices = devices
        self.script = devices.parent / "iscsi-target"
        self.initiators = []

    def run(self, *command, **more):
        return run(*self.enter, *command, **more)

    def put(self, path, content):
        self.run("sh", "-c", f"umask 077; mkdir -p $(dirname {path}); cat > {path}", input=content)

    def call(self, *action):
        return self.run(str(self.script), *action, check=False)

    def initiator(self, address="192.168.1.1", target=None, *credentials):
        target = target or "iqn.2009-02.com.example:test"
        command = (*self.enter, sys.executable, str(INITIATOR), address, target, *credentials)
        one = Initiator(command)
        self.initiators.append(one)
        return one

    @contextmanager
    def half_a_request(self):
        """A client whose login's header has arrived, and its 64 bytes of data have not."""
        client = (
            "import socket, sys; wire = socket.create_connection(('192.168.1.1', 3260)); "
            "wire.sendall(bytes([0x43, 0x87, 0, 0, 0, 0, 0, 64]) + bytes(40)); "
            "print('sent', flush=True); sys.stdin.read()"
        )
        with self.stalled(client):
            yield

    @contextmanager
    def half_a_write(self, target):
        """A client that is logged in, and has asked to write a block that it doesn't send."""
        client = (
            f"import struct, sys; sys.path.insert(0, {str(INITIATOR.parent)!r}); "
            f"import initiator; one = initiator.Session('192.168.1.1', {target!r}); "
            "head = struct.pack('>BBHIHHIIIII', 1, 0xA1, 0, 0, 1, 0, 0, 7, 512, 1, 0); "
            "one.wire.sendall(head + bytes.fromhex('2a000000000000000100').ljust(16, b'\\0')); "
            "print('sent', flush=True); sys.stdin.read()"
        )
        with self.stalled(client):
            yield

    @contextmanager
    def stalled(self, client):
        """A client in Python that has said that it got so far, and waits there."""
        command = (*self.enter, sys.executable, "-c", client)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            yield

    def control_sockets(self):
        """How many ends of tgtd's management socket are open: one listens."""
        sockets = self.run("cat", "/proc/net/unix").stdout.splitlines()
        return sum(line.endswith("/tgtd/socket.0") for line in sockets)

    def listeners(self):
        found = self.run("ss", "-Htln").stdout.splitlines()
        return sorted(line.split()[3] for line in found)

    def tgtd_pids(self):
        """The living tgtd processes of this machine's mount namespace: the daemon, its logger."""
        ours = self.run("readlink", "/proc/self/ns/mnt").stdout
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                stat = (directory / "stat").read_text()
                mine = str((directory / "ns/mnt").readlink()) == ours.strip()
            except OSError:
                continue
            if "(tgtd)" in stat and ") Z" not in stat and mine:
                found.append(int(directory.name))
        return found

    @property
    def tgtd(self):
        """The daemon's process: the one that is no other's child."""
        pids = self.tgtd_pids()
        (pid,) = (pid for pid in pids if parent(pid) not in pids)
        return pid


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def target(name, *volumes, chap=None, acl=Everyone()):  # noqa: B008 (frozen)
    """A target with a LUN for each volume, numbered from 1; `volume:blockio` opens it directly."""
    luns = []
    for number, entry in enumerate(volumes, start=1):
        if entry is not None:
            volume, _, iotype = entry.partition(":")
            luns.append(Lun(number, volume, iotype or "fileio"))
    user = Chap("badger", Secret(chap)) if chap else None
    return Target(f"iqn.2009-02.com.example:{name}", luns=tuple(luns), chap=user, acl=acl)


def rendered(cluster, path):
    """A file of the first node."""
    files = node_files(cluster, cluster.preferred.name)
    return next(file.content for file in files if file.path == path)
