"""The reference cluster on the lab, run by pyinfra as a user runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from san.lab.lab import Lab
from san.run import Run, pyinfra

ROOT = Path(__file__).resolve().parents[2]
NODES = ("weasel", "otter")

DISK = "/dev/disk/by-id/virtio-data"
ON_DISK = (
    "find /etc /usr /var/lib /boot /root -xdev -path /var/lib/systemd -prune -o -type f"
    " -printf '%p %s %m %T@\\n' | sort | sha256sum;"
    f" head -c 1M {DISK} | sha256sum; tail -c 1M {DISK} | sha256sum"
)
"""Prints a fingerprint of a host's files and, on a node, of where its data disk is marked."""


def deploy(*arguments: str, inventory: str = "inventory.py") -> Run:
    """Run pyinfra on the lab, without asking."""
    return pyinfra(*arguments, inventory=inventory, directory=ROOT)


def plan() -> "subprocess.CompletedProcess[str]":
    """Ask pyinfra what it would do."""
    program = str(Path(sys.executable).with_name("pyinfra"))
    return subprocess.run(
        [program, "--dry", "inventory.py", "deploy.py"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start pyinfra on the lab, to be read or killed while it runs."""
    program = str(Path(sys.executable).with_name("pyinfra"))
    return subprocess.Popen(
        [program, "-y", "inventory.py", "deploy.py", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """What `process` prints up to the line that holds `words`; fails where it ends before."""
    seen = []
    assert process.stdout is not None
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return "".join(seen)
    raise AssertionError(f"it ended before {words!r}:\n{''.join(seen)}")


def kill(process: "subprocess.Popen[str]") -> None:
    """End a run as the kernel's OOM killer would: nothing of it may tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def serving(lab: Lab) -> str | None:
    """The node that DRBD says is Primary."""
    found = [node for node in NODES if is_primary(lab, node)]
    assert len(found) < 2, f"both are Primary: {found}"
    return found[0] if found else None


def is_primary(lab: Lab, node: str) -> bool:
    """Whether `node` is Primary."""
    return "ro:Primary/" in lab.ssh(node, "cat /proc/drbd 2>/dev/null || :").stdout


@retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(150), wait=wait_fixed(1))
def takes_over(lab: Lab, node: str) -> bool:
    """Wait until `node` holds every resource."""
    held = lab.ssh(node, "cl_status rscstatus; ss -Hltn 'sport = :3260'", check=False).stdout
    return "all" in held.split() and held.count("192.168.") >= 2


@retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(150), wait=wait_fixed(1))
def connection(lab: Lab, node: str, state: str) -> bool:
    """Wait until DRBD on `node` is in this connection state."""
    return f"cs:{state} " in lab.ssh(node, "cat /proc/drbd").stdout


@retry(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(150), wait=wait_fixed(1))
def fenced(lab: Lab, node: str) -> bool:
    """Wait until the serving `node` has outdated its peer and writes again."""
    return " ds:UpToDate/Outdated C r" in lab.ssh(node, "cat /proc/drbd").stdout


def installed_on(run: Run, path: str) -> list[str]:
    """The hosts that got the file `path`, in order."""
    hosts = []
    host = ""
    for line in run.log.splitlines():
        if ">>> " in line:
            host = line.split("]")[0].strip("[ ")
        if f"san-install {path} " in line:
            hosts.append(host)
    return hosts
