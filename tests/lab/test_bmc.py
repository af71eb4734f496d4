"""The nodes' BMCs, asked from the other node by the tool that external/ipmi uses."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from san.lab import bmc
from san.lab.lab import Lab
from san.lab.remote import BOOT_LIMIT_S
from tests.lab.cluster import ROOT, deploy

pytestmark = pytest.mark.lab

INVENTORY = "docs/examples/stonith.py"
INSTALL = "DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get install -qy"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture(scope="module")
def tools(lab: Lab) -> Lab:
    """A lab whose otter has ipmitool and cluster-glue, from the image's cache."""
    lab.restore("bare")
    lab.ssh("otter", f"{INSTALL} ipmitool cluster-glue", timeout=600)
    lab.snapshot("bmc")
    return lab


@pytest.fixture
def otter(tools: Lab) -> Iterator[Lab]:
    """The same, as it was."""
    tools.restore("bmc")
    yield tools
    for host in ("weasel", "otter"):
        tools.bmc_restore(host)


def ipmi(lab: Lab, *words: str, host: str = "weasel") -> "subprocess.CompletedProcess[str]":
    """Ask the BMC of `host` from otter."""
    port = lab.state.bmc_ports[host]
    where = f"-I lanplus -H {bmc.ADDRESS} -p {port} -U {bmc.USER} -E"
    command = f"IPMI_PASSWORD={bmc.PASSWORD} ipmitool {where} {' '.join(words)}"
    return lab.ssh("otter", command, check=False)


def power(lab: Lab, host: str = "weasel") -> str:
    """What the BMC says of the power: `on` or `off`."""
    return ipmi(lab, "power status", host=host).stdout.split()[-1]


def test_power_status_off_on_and_reset(otter: Lab):
    """The BMC answers while its node is off, and turns it on; each node has its own."""
    before = otter.ssh("weasel", BOOT_ID).stdout
    assert (power(otter), power(otter, "otter")) == ("on", "on")

    assert ipmi(otter, "power off").returncode == 0
    assert not otter.powered("weasel")
    assert (power(otter), power(otter, "otter")) == ("off", "on")
    assert ipmi(otter, "power reset").returncode != 0, "a machine that is off can't be reset"

    assert ipmi(otter, "power on").returncode == 0
    otter.wait_ssh(["weasel"], BOOT_LIMIT_S)
    second = otter.ssh("weasel", BOOT_ID).stdout
    assert second != before

    assert ipmi(otter, "power reset").returncode == 0
    otter.wait_ssh(["weasel"], BOOT_LIMIT_S)
    assert otter.ssh("weasel", BOOT_ID).stdout != second


def test_a_wrong_password_gets_no_answer(otter: Lab, monkeypatch: pytest.MonkeyPatch):
    """And nothing happens to the machine."""
    monkeypatch.setattr(bmc, "PASSWORD", "wrong")
    assert ipmi(otter, "power off").returncode != 0
    assert otter.powered("weasel")


def test_one_that_is_cut_is_mute_and_one_that_lies_does_nothing(otter: Lab):
    """Until it is restored, and for its own node alone; a snapshot keeps what was broken."""
    otter.bmc_cut("weasel")
    assert "Unable to establish" in ipmi(otter, "power status").stderr
    assert power(otter, "otter") == "on"

    otter.bmc_restore("weasel")
    otter.bmc_lie("weasel")
    before = otter.ssh("weasel", BOOT_ID).stdout
    assert ipmi(otter, "power off").returncode == 0
    assert ipmi(otter, "power reset").returncode == 0
    assert power(otter) == "on"
    assert otter.ssh("weasel", BOOT_ID).stdout == before

    otter.restore("bmc")
    assert otter.state.faults.bmc_lie == ()
    assert ipmi(otter, "power off").returncode == 0
    assert not otter.powered("weasel")


def test_status_shows_them(otter: Lab):
    """Where they are, and what is broken."""
    otter.bmc_cut("otter")
    said = subprocess.run(
        [str(Path(sys.executable).with_name("san")), "lab", "status", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    status = json.loads(said.stdout)
    assert status["bmcs"]["weasel"] == {"running": True, "port": otter.state.bmc_ports["weasel"]}
    assert status["faults"]["bmc_cut"] == ["otter"]


FENCED = "fenced"


@pytest.fixture(scope="module")
def fenced(lab: Lab) -> Lab:
    """The reference cluster with its BMCs deployed, at rest, weasel serving."""
    if FENCED not in lab.snapshots():
        lab.restore("bare")
        run = deploy(inventory=INVENTORY)
        assert run.returncode == 0, run.log
        lab.snapshot(FENCED)
    return lab


def fence(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run `san fence test` for weasel."""
    program = str(Path(sys.executable).with_name("san"))
    command = [program, "fence", "test", "weasel", "--inventory", INVENTORY, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.drill
def test_the_devices_are_asked_and_the_password_is_nowhere(fenced: Lab):
    """By `san fence test`; a BMC that is cut is told, and the run says so too."""
    fenced.restore(FENCED)
    done = fence("--json")
    assert done.returncode == 0, done.stderr
    assert [each["ok"] for each in json.loads(done.stdout)["devices"]] == [True]

    fenced.bmc_cut("weasel")
    done = fence()
    assert done.returncode == 1
    assert "failed:" in done.stdout
    run = deploy(inventory=INVENTORY)
    assert run.returncode == 1
    assert "external/ipmi of weasel (device 1) says: " in run.log
    assert bmc.PASSWORD not in run.log + done.stdout + done.stderr
    open_to_all = f"grep -rIl {bmc.PASSWORD} /etc /run /var /usr/lib/stonith 2>/dev/null || :"
    for node in ("weasel", "otter"):
        assert fenced.ssh(node, open_to_all).stdout == "/etc/san/stonith.conf\n"
        assert fenced.ssh(node, "stat -c '%a %U' /etc/san/stonith.conf").stdout == "600 root\n"
        assert bmc.PASSWORD not in fenced.ssh(node, "journalctl --no-pager").stdout
