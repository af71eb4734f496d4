"""The STONITH plugin external/san, with a stand-in for stonith(8)."""

import stat
import subprocess
import time

import attrs
import pytest

from san.render.template import raw

STAND_IN = r"""#!/bin/sh
# Answers as its device's parameter `how` says, and notes who asked for what.
echo "$* hostname=$hostname passwd=$passwd method=$passwd_method" >> TREE/calls
if [ "$how" = hangs ]; then sleep 60 & wait; fi
if [ "$how" = fails ]; then
  printf 'external/ipmi[643]:\tERROR: +Nov 28 18:50:44 error executing ipmitool: no session\n' \
    >> "$HA_LOGFILE"
  exit 1
fi
exit 0
"""


@attrs.frozen
class Plugin:
    """The plugin, its file of devices, and what stonith(8) was asked."""

    tree: object

    def devices(self, *lines, node="weasel"):
        (self.tree / "stonith.conf").write_text("\n".join([f"node {node}", *lines]) + "\n")

    def call(self, *words, **environment):
        return subprocess.run(
            ["perl", self.tree / "san", *words],
            env={"PATH": "/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def calls(self):
        path = self.tree / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def plugin(tmp_path):
    stand_in = tmp_path / "stonith"
    stand_in.write_text(STAND_IN.replace("TREE", str(tmp_path)))
    stand_in.chmod(0o755)
    script = (
        raw("stonith/san")
        .replace("/etc/san/stonith.conf'", f"{tmp_path}/stonith.conf'", 1)
        .replace("/usr/sbin/stonith", str(stand_in))
        .replace("'/run/san'", f"'{tmp_path}/run'")
        .replace("$LIMIT_S  = 40;", "$LIMIT_S  = 1;")
    )
    (tmp_path / "san").write_text(script)
    return Plugin(tmp_path)


WORKS = ("device external/ipmi", "  passwd=geheim: $x 'y'", "  passwd_method=env")
FAILS = ("device external/ipmi", "  how=fails")
HANGS = ("device external/drac5", "  how=hangs")
PERSON = ("device meatware",)


def test_a_device_gets_its_parameters_in_the_environment(plugin):
    plugin.devices(*WORKS)

    assert plugin.call("reset", "weasel").returncode == 0
    assert plugin.calls() == [
        "-t external/ipmi -E -T reset weasel hostname=weasel passwd=geheim: $x 'y' method=env"
    ]


def test_the_next_device_is_tried_where_one_fails_and_none_after_one_that_did_it(plugin):
    plugin.devices(*FAILS, *HANGS, *WORKS, *PERSON)

    assert plugin.call("reset", "WEASEL").returncode == 0
    assert [line.split()[1] for line in plugin.calls()] == [
        "external/ipmi",
        "external/drac5",
        "external/ipmi",
    ]


def test_a_devices_parameters_are_its_own(plugin):
    plugin.devices(*WORKS, "device external/nut", node="otter")
    plugin.call("status")

    assert sorted(plugin.calls())[1].endswith("hostname=otter passwd= method=")


def test_where_all_fail_it_fails(plugin):
    plugin.devices(*FAILS, *FAILS)

    assert plugin.call("reset", "weasel").returncode == 1
    assert len(plugin.calls()) == 2


def test_what_a_device_that_hangs_has_started_ends_with_it(plugin):
    plugin.devices(*HANGS)
    began = time.monotonic()

    assert plugin.call("reset", "weasel").returncode == 1
    assert time.monotonic() - began < 10
    left = subprocess.run(["pgrep", "-f", plugin.tree / "stonith"], check=False)
    assert left.returncode == 1


def test_it_resets_nobody_else(plugin):
    plugin.devices(*WORKS)

    assert plugin.call("reset", "otter").returncode == 1
    assert plugin.calls() == []


def test_asking_fires_nothing_and_says_why(plugin):
    plugin.devices(*WORKS, *FAILS, *HANGS)
    asked = plugin.call("test")

    assert asked.returncode == 1
    assert asked.stdout.splitlines() == [
        "weasel\t1\texternal/ipmi\tok\t",
        "weasel\t2\texternal/ipmi\tfailed\terror executing ipmitool: no session",
        "weasel\t3\texternal/drac5\tfailed\tit does not answer in time",
    ]
    assert all(" -S " in line and "-T" not in line for line in plugin.calls())
    assert list((plugin.tree / "run").iterdir()) == []


@pytest.mark.parametrize(("lines", "status"), [(WORKS, 0), ((*WORKS, *FAILS), 1)])
def test_status_fails_where_one_device_does_not_answer(plugin, lines, status):
    plugin.devices(*lines)
    asked = plugin.call("status")

    assert (asked.returncode, asked.stdout) == (status, "")


def test_what_cluster_glue_asks_of_a_plugin(plugin):
    """Before there is any file: `stonith -L` and `-n` are for a node that has none yet."""
    assert plugin.call("getconfignames").stdout == "hostname\n"
    assert plugin.call("gethosts", hostname="weasel").stdout == "weasel\n"
    assert '<parameter name="hostname"' in plugin.call("getinfo-xml").stdout


@pytest.mark.parametrize("lines", [(), ("  how=fails",), ("gadget x",)])
@pytest.mark.parametrize("words", [("reset", "weasel"), ("status",), ("test",)])
def test_a_file_that_is_none_is_a_failure(plugin, lines, words):
    plugin.devices(*lines)
    asked = plugin.call(*words)

    assert asked.returncode == 1
    assert "stonith.conf" in asked.stderr


def test_what_a_plugin_logs_is_closed_to_others(plugin):
    plugin.devices("device external/ipmi", "  how=hangs")
    running = subprocess.Popen(["perl", plugin.tree / "san", "test"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            logs = list((plugin.tree / "run").glob("stonith.*"))
            if logs:
                break
            time.sleep(0.02)
        assert stat.S_IMODE(logs[0].stat().st_mode) == 0o600
    finally:
        running.wait()
