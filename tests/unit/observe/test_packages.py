"""Packages and units: outputs of dpkg 1.21 and systemd 252 on a Debian 12 node of our lab."""

import os
import subprocess

import pytest

from san.observe.packages import Unit, parse, shell
from san.observe.sections import UnreadableError

AMID_INSTALLATION = """\
[san:begin packages]
ok unpacked\tdmeventd\t2:1.02.185-2
ok installed\tdrbd-utils\t9.22.0-1
ok unpacked\theartbeat\t1:3.0.6-13+b2
ok unpacked\tliblvm2cmd2.03\t2.03.16-2
ok half-configured\tresource-agents\t1:4.12.0-2
ok config-files\ttgt\t1:1.0.85-1+deb12u1
interrupted
Another process has locked the database for writing, and might currently be
modifying it, some of the following problems might just be due to that.

The following packages have been unpacked but not yet configured.
They must be configured using dpkg --configure or the configure
menu option in dselect for them to work:
 dmeventd             Linux Kernel Device Mapper event daemon
 heartbeat            Subsystem for High-Availability Linux
 liblvm2cmd2.03:amd64 LVM2 command library

The following packages are only half configured, probably due to problems
configuring them the first time.  The configuration should be retried using
dpkg --configure <package> or the configure menu option in dselect:
 resource-agents      Cluster Resource Agents

[san:end packages 0]
[san:begin units]
units drbd.service heartbeat.service tgt.service iscsitarget.service
LoadState=loaded
ActiveState=inactive
UnitFileState=disabled

LoadState=loaded
ActiveState=active
UnitFileState=enabled

LoadState=masked
ActiveState=inactive
UnitFileState=masked

LoadState=not-found
ActiveState=inactive
UnitFileState=

[san:end units 0]
""".splitlines()


def test_a_host_amid_an_installation():
    """Half-way is neither installed nor absent: it is broken."""
    state = parse(AMID_INSTALLATION)
    assert state.installed == {"drbd-utils": "9.22.0-1"}
    assert state.broken == ("dmeventd", "heartbeat", "liblvm2cmd2.03", "resource-agents")
    assert state.locked
    assert state.interrupted


def test_units_by_the_name_they_were_asked_for():
    units = parse(AMID_INSTALLATION).units
    assert units["drbd.service"] == Unit("loaded", "inactive", "disabled")
    assert units["heartbeat.service"].enabled
    assert units["heartbeat.service"].running
    assert units["tgt.service"].masked
    assert not units["iscsitarget.service"].exists
    assert units["iscsitarget.service"].file_state == ""


def test_a_host_in_order():
    state = parse(["[san:begin packages]", "ok installed\tlvm2\t2.03.16-2", "[san:end packages 0]"])
    assert state.installed == {"lvm2": "2.03.16-2"}
    assert (state.broken, state.locked, state.interrupted) == ((), False, False)
    assert state.units == {}


def test_an_error_flag_is_broken_though_installed():
    state = parse(["[san:begin packages]", "reinstreq installed\tlvm2\t1", "[san:end packages 0]"])
    assert state.broken == ("lvm2",)
    assert state.installed


ONE_PACKAGE = ["[san:begin packages]", "ok installed\tlvm2\t1", "[san:end packages 0]"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "lacks its part"),
        (
            [
                "[san:begin packages]",
                "dpkg-query: error: parsing file '/var/lib/dpkg/status' near line 3",
                "[san:end packages 2]",
            ],
            "near line 3",
        ),
        (["[san:begin packages]", "ok installed\tlvm2", "[san:end packages 0]"], "no row"),
        (["[san:begin packages]", "[san:end packages 0]"], "no package at all"),
        (
            [
                *ONE_PACKAGE,
                "[san:begin units]",
                *["units a.service", "Failed to connect to bus: Host is down"],
                "[san:end units 1]",
            ],
            "Host is down",
        ),
        (
            [
                *ONE_PACKAGE,
                "[san:begin units]",
                *["units a.service b.service", "LoadState=loaded", "[san:end units 0]"],
            ],
            "1 of 2 units",
        ),
        (
            [
                *ONE_PACKAGE,
                "[san:begin units]",
                *["units a.service", "LoadState=loaded", "[san:end units 0]"],
            ],
            "lacks 'ActiveState'",
        ),
    ],
)
def test_unreadable_is_not_missing(lines, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        parse(lines)


def test_units_are_looked_at_only_where_they_were_asked_for():
    assert "systemctl" not in shell()
    assert "systemctl show" in shell(("drbd.service",))


@pytest.mark.parametrize(
    ("state", "broken"), [("install ok unpacked", ("lvm2",)), ("install ok installed", ())]
)
def test_dpkg_itself_is_read(tmp_path, state, broken):
    """dpkg's own programs, on a database of two packages (dpkg(1), DPKG_ADMINDIR)."""
    entry = (
        "Package: {}\nStatus: {}\nVersion: 1\nArchitecture: amd64\nMaintainer: a\nDescription: b\n"
    )
    (tmp_path / "status").write_text(
        entry.format("lvm2", state) + "\n" + entry.format("dash", "install ok installed")
    )
    (tmp_path / "info").mkdir()
    environment = os.environ | {"DPKG_ADMINDIR": str(tmp_path)}
    answer = subprocess.run(
        ["sh", "-c", shell()], env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()

    found = parse(answer)

    assert found.broken == broken
    assert found.installed == {"dash": "1"} | ({} if broken else {"lvm2": "1"})
    assert not found.locked
