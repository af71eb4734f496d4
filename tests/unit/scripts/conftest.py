"""A machine of its own for a resource script: real tgtd and block devices, private the rest.

The script, tgtd and the initiators run at their real paths and on port 3260, inside a mount and a
network namespace; the block devices are loop devices. A user without root, or a container without
those, skips what needs them, and is told; every tool comes with debian-packages.txt.
"""

import os
import runpy
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest
from kmod_node import Node
from private_machine import Machine, holder, loop_device

from san.render.stgt import stgt_conf
from san.render.template import TEMPLATES

ROOT = Path(__file__).parents[3]
PORTALS = ("192.168.1.1/24", "192.168.2.1/24")
CLIENT = ("192.168.1.10/24", "192.168.2.10/24")


@pytest.fixture(scope="session")
def namespace(tmp_path_factory):
    """A process that holds the namespaces: private /etc and /run, two portals on its loopback."""
    etc = tmp_path_factory.mktemp("machine") / "etc"
    (etc / "san").mkdir(parents=True)
    for name in ("passwd", "group", "hosts", "nsswitch.conf", "protocols", "services"):
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), etc / name)
    setup = "; ".join(
        (
            "set -e",
            f"cp -a /etc/alternatives /etc/ld.so.cache {etc}/",
            f"mount --bind {etc} /etc",
            "mount -t tmpfs run /run",
            "ip link set lo up",
            *(f"ip address add {portal} dev lo" for portal in (*PORTALS, *CLIENT)),
            "echo ready",
            "exec sleep 3600",
        )
    )
    process = holder("--mount", "--net", "--propagation", "private", "sh", "-c", setup)
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="session")
def loops(tmp_path_factory):
    """Three block devices of 64 MiB."""
    directory = tmp_path_factory.mktemp("disks")
    with ExitStack() as stack:
        yield [
            stack.enter_context(loop_device(directory / f"disk{number}", 64 << 20))
            for number in range(3)
        ]


@pytest.fixture
def machine(namespace, loops, tmp_path):
    """A machine with volumes `one`, `two` and `three`, the script, and no tgtd."""
    devices = tmp_path / "dev"
    devices.mkdir()
    for name, device in zip(("one", "two", "three"), loops, strict=True):
        (devices / name).symlink_to(device)
    one = Machine(namespace, devices)
    shutil.copy(TEMPLATES / "resource.d/iscsi-target.stgt", one.script)
    one.script.chmod(0o755)
    yield one
    for initiator in one.initiators:
        initiator.close()
    one.call("stop")
    for pid in one.tgtd_pids():
        os.kill(pid, 9)
    deadline = time.monotonic() + 10
    while one.tgtd_pids() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture
def configured(machine, cluster):
    """Write the STGT configuration of targets as the renderer does, on the machine's devices."""

    def configure(*targets, portals=None):
        site = attrs.evolve(
            cluster,
            targets=targets,
            portals=cluster.portals if portals is None else portals,
        )
        text = stgt_conf(site).replace("/dev/", f"{machine.devices}/")
        machine.put("/etc/san/stgt.conf", text)
        return text

    return configure


@pytest.fixture
def node(tmp_path):
    """A node made of files, for san-kmod."""
    return Node(tmp_path)


@pytest.fixture
def cluster(monkeypatch):
    """The reference cluster, with secrets from the environment."""
    for name in ("CHAP_SECRET", "CHAP_OTHER", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, f"{name.lower().replace('_', '-')[:10]}-1234")
    return runpy.run_path(str(ROOT / "inventory.py"))["site"].clusters[0]
