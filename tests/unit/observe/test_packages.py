"""Packages and units: outputs of dpkg 1.21 and systemd 252 on a Debian 12 node of our lab."""

import pytest

from san.observe.packages import Unit, parse, shell
from san.observe.sections import UnreadableError

AMID_INSTALLATION = """\
[san:begin packages]
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

dpkg-query: no packages found matching drbd-dkms
drbd-utils	install	ok	installed	9.22.0-1
heartbeat	install	ok	unpacked	1:3.0.6-13+b2
resource-agents	install	ok	half-configured	1:4.12.0-2
tgt	deinstall	ok	config-files	1:1.0.85-1+deb12u1

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
    """Half-way is neither installed nor absent: it is missing and broken."""
    state = parse(AMID_INSTALLATION)
    assert state.installed == {"drbd-utils": "9.22.0-1"}
    assert state.missing == ("drbd-dkms", "heartbeat", "resource-agents", "tgt")
    assert state.broken == ("dmeventd", "heartbeat", "liblvm2cmd2.03", "resource-agents")
    assert state.locked
    assert state.interrupted
    assert not state.policy_rc_d


def test_units_by_the_name_they_were_asked_for():
    units = parse(AMID_INSTALLATION).units
    assert units["drbd.service"] == Unit("loaded", "inactive", "disabled")
    assert units["heartbeat.service"].enabled
    assert units["heartbeat.service"].running
    assert units["tgt.service"].masked
    assert not units["iscsitarget.service"].exists
    assert units["iscsitarget.service"].file_state == ""


def test_a_host_in_order():
    state = parse(
        [
            "[san:begin packages]",
            "policy-rc.d",
            "lvm2\thold\tok\tinstalled\t2.03.16-2",
            "[san:end packages 0]",
        ]
    )
    assert (state.missing, state.broken, state.locked, state.interrupted) == ((), (), False, False)
    assert state.policy_rc_d
    assert state.units == {}


def test_an_error_flag_is_broken_though_installed():
    state = parse(
        ["[san:begin packages]", "lvm2\tinstall\treinstreq\tinstalled\t1", "[san:end packages 0]"]
    )
    assert state.broken == ("lvm2",)


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
        (["[san:begin packages]", "lvm2\tinstall", "[san:end packages 0]"], "no row"),
        (
            [
                *["[san:begin packages]", "[san:end packages 0]", "[san:begin units]"],
                *["units a.service", "Failed to connect to bus: Host is down"],
                "[san:end units 1]",
            ],
            "Host is down",
        ),
        (
            [
                *["[san:begin packages]", "[san:end packages 0]", "[san:begin units]"],
                *["units a.service b.service", "LoadState=loaded", "[san:end units 0]"],
            ],
            "1 of 2 units",
        ),
        (
            [
                *["[san:begin packages]", "[san:end packages 0]", "[san:begin units]"],
                *["units a.service", "LoadState=loaded", "[san:end units 0]"],
            ],
            "lacks 'ActiveState'",
        ),
    ],
)
def test_unreadable_is_not_missing(lines, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        parse(lines)


def test_only_what_was_asked_for_is_run():
    assert "dpkg-query" not in shell(())
    assert "systemctl" not in shell(("lvm2",))
    assert "systemctl show" in shell((), ("drbd.service",))
