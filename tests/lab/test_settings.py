"""A changed setting reaches a running cluster without a client noticing, and without a secret."""

import pytest

from tests.lab.cluster import ROOT, deploy, installed_on, serving

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


def runs_by_an_older_ha_cf(lab, node):
    test = "[ /etc/ha.d/ha.cf -nt /run/heartbeat.pid ]"
    return lab.ssh(node, test, check=False).returncode == 0


PROBE = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[1])
failed = 0
while time.monotonic() < end:
    for portal in ("192.168.1.1", "192.168.2.1"):
        try:
            socket.create_connection((portal, 3260), timeout=5).close()
        except OSError as error:
            failed += 1
            print(time.time(), portal, error, flush=True)
    time.sleep(0.5)
    print("probed", flush=True)
"""


WATCH = """
import os, socket, struct
# The kernel's process events (linux/cn_proc.h): every exec is told, none is looked for.
events = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 11)
events.bind((os.getpid(), 1))
events.send(struct.pack("=IHHIIIIIIHHI", 40, 3, 0, 0, os.getpid(), 1, 1, 0, 0, 4, 0, 1))
with open("/run/seen", "wb", buffering=0) as seen:
    while True:
        try:
            what, _, _, process = struct.unpack_from("=IIQI", events.recv(4096), 36)
            if what == 2:  # exec
                with open(f"/proc/{process}/cmdline", "rb") as arguments:
                    seen.write(arguments.read())
        except OSError:  # it has ended, or events were dropped
            pass
"""
"""Writes the arguments of each process that starts."""


@pytest.fixture
def other_times(monkeypatch):
    """The inventory with other times of Heartbeat, DRBD and clients, beside the reports.

    Its secrets are the lab's.
    """
    monkeypatch.setenv("SAN_SECRETS_FILE", "secrets.env")
    text = (ROOT / "inventory.py").read_text(encoding="utf-8")
    timing = "Timing(ping_int=3, neighbour_reachable=3)"
    changed = text.replace(
        "heartbeat=Heartbeat(links=", f"timing={timing}, heartbeat=Heartbeat(deadtime=9, links="
    ).replace("    Target,\n", "    Target,\n    Timing,\n")
    assert timing in changed
    path = ROOT / "build" / "inventory_times.py"
    path.write_text(changed, encoding="utf-8")
    yield f"build/{path.name}"
    path.unlink()


def test_a_changed_setting_reaches_the_standby_first_while_the_portals_answer(
    deployed_lab, other_times
):
    deployed_lab.ssh("badger", "cat > /run/probe.py", input=PROBE)
    deployed_lab.ssh(
        "badger",
        "setsid sh -c 'python3 /run/probe.py 600 > /run/probe.log 2>&1 & echo $! > /run/probe.pid'",
    )

    run = deploy(inventory=other_times)

    deployed_lab.ssh("badger", "kill $(cat /run/probe.pid)")
    probed = deployed_lab.ssh("badger", "cat /run/probe.log").stdout.splitlines()
    assert run.returncode == 0, run.log
    assert len(probed) > 10
    assert [line for line in probed if line != "probed"] == []
    written = installed_on(run, "/etc/ha.d/ha.cf")
    assert written == ["otter", "weasel"]
    assert serving(deployed_lab) == "weasel"
    for node in ("otter", "weasel"):
        assert not runs_by_an_older_ha_cf(deployed_lab, node)
        assert "ping-int        \t3;" in deployed_lab.ssh(node, "drbdsetup show r0").stdout
    forgets = "sysctl -n net.ipv4.neigh.eth2.base_reachable_time_ms"
    assert deployed_lab.ssh("badger", forgets).stdout == "3000\n"
    again = deploy(inventory=other_times)
    assert again.changed == 0, again.log


def test_no_secret_is_shown_while_files_with_secrets_are_written(deployed_lab):
    secrets = [
        line.partition("=")[2]
        for line in (ROOT / "secrets.env").read_text(encoding="utf-8").splitlines()
        if "=" in line
    ]
    assert len(secrets) == 3
    for host in deployed_lab.hosts:
        lost = "/etc/iscsi/iscsid.conf" if host == "badger" else "/etc/san/stgt.conf"
        deployed_lab.ssh(host, f"rm {lost}; cat > /run/watch.py", input=WATCH)
        deployed_lab.ssh(host, "systemd-run --quiet --unit=watch python3 /run/watch.py")
        deployed_lab.ssh(host, "until [ -e /run/seen ]; do :; done", timeout=60)

    run = deploy("-vvv", "--diff")

    assert run.returncode == 0, run.log
    assert run.changed == 3, run.log
    for host in deployed_lab.hosts:
        deployed_lab.ssh(host, "systemctl stop watch")
        seen = deployed_lab.ssh(host, "tr -d '\\0' < /run/seen").stdout
        assert "san-install" in seen
        readable = deployed_lab.ssh(
            host,
            "find /etc /var/lib /run /tmp /root -xdev -type f -perm /077 -size -500k"
            " -exec cat {} + 2>/dev/null | tr -d '\\0'",
        ).stdout
        for secret in secrets:
            assert secret not in run.log
            assert secret not in seen
            assert secret not in readable
