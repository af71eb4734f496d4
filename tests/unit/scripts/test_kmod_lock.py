"""san-kmod's lock: two that build, a gate that asks meanwhile, and what a build leaves running."""

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from kmod_node import MAKEFILE, OLD
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from san.render.template import TEMPLATES, raw


def program(pid):
    """The name of a process; empty where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


@contextmanager
def holding(node, command):
    """A process that has san-kmod's lock until its shell command ends."""
    lock = node.root / "run/san-kmod.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        ("flock", str(lock), "sh", "-c", f"echo held; {command}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        yield holder


@contextmanager
def waiting(node, command):
    """A san-kmod that has come to wait for the lock."""
    with subprocess.Popen(
        ("sh", str(TEMPLATES / "kmod/san-kmod"), command),
        env={"PATH": f"{node.bin}:{os.environ['PATH']}", "SAN_KMOD_ROOT": str(node.root)},
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait = Retrying(
            stop=stop_after_delay(30),
            wait=wait_fixed(0.05),
            retry=retry_if_result(lambda names: "flock" not in names),
        )
        wait(lambda: [program(pid) for pid in children.read_text().split()])
        yield process


def test_two_at_once_wait_for_each_other(node):
    with holding(node, "read line") as holder, waiting(node, "build") as second:
        assert node.compilations == 0
        holder.communicate("go\n")
        assert second.wait(60) == 0
    assert node.compilations == 2


def test_the_gate_waits_for_an_installation_that_goes_on(node):
    node.call("build")
    away = node.root / "away"
    node.ko(OLD).rename(away)

    with (
        holding(node, f"read line; mv {away} {node.ko(OLD)}") as holder,
        waiting(node, "gate") as gate,
    ):
        holder.communicate("go\n")
        assert gate.wait(60) == 0


def test_the_gate_is_done_before_systemd_ends_it():
    """Debian's heartbeat.service has TimeoutStartSec=60s: it would fail, and say no module.

    Half of it is left for the two looks, which unpack an initrd where nobody has looked yet.
    """
    (limit,) = re.findall(r"^gate_limit=(\d+)\b", raw("kmod/san-kmod"), re.MULTILINE)
    assert int(limit) <= 30


def test_what_a_makefile_leaves_running_keeps_no_lock(node):
    pid = node.root / "pid"
    left = f"\tsetsid sleep 300 >/dev/null 2>&1 & echo $$! > {pid}\n"
    node.write("usr/src/fixture-1.0/Makefile", MAKEFILE + left)

    node.call("build", "--kernel", OLD)

    lock = node.root / "run/san-kmod.lock"
    free = subprocess.run(("flock", "--nonblock", lock, "true"), check=False).returncode == 0
    os.kill(int(pid.read_text()), signal.SIGTERM)
    assert free
