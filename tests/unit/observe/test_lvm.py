"""LVM's reports.

REPORT, LOOPS and their standard error are what LVM 2.03.16 (Debian 12) printed for volume groups
on loop devices; what MISSING changes in them follows lvmreport(7).
"""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.observe.lvm import (
    DevicesFile,
    LogicalVolume,
    LvmState,
    PhysicalVolume,
    VolumeGroup,
    parse,
    shell,
)
from san.observe.sections import UnreadableError

REPORT = """\
  {
      "report": [
          {
              "vg": [
                  {"vg_name":"storage", "vg_size":"100663296", "vg_free":"79691776", "vg_extent_size":"4194304", "vg_exported":"", "vg_partial":""}
              ]
              ,
              "pv": [
                  {"pv_name":"/dev/loop0", "vg_name":"storage", "pv_size":"100663296", "pv_missing":""}
              ]
              ,
              "lv": [
                  {"vg_name":"storage", "lv_name":"test", "lv_path":"/dev/storage/test", "lv_size":"20971520", "lv_active":"active", "lv_device_open":"open"}
              ]
              ,
              "pvseg": [
                  {"pv_uuid":"tZeW7Z-KA1r-wX9B-tX86-L7AX-IW5f-0HGOFq"},
                  {"pv_uuid":"tZeW7Z-KA1r-wX9B-tX86-L7AX-IW5f-0HGOFq"}
              ]
              ,
              "seg": [
                  {"lv_uuid":"8r8SUT-U4XB-wQRt-1ifQ-ftyc-sjFd-Sm3foz"}
              ]
          }
          ,
          {
              "pv": [
                  {"pv_name":"/dev/loop1", "vg_name":"", "pv_size":"52428800", "pv_missing":""}
              ]
              ,
              "pvseg": [
                  {"pv_uuid":"gvQnZt-CMon-ZDPU-ybhA-GrMO-Ocpv-Uz7f6J"}
              ]
          }
      ]
  }
"""  # noqa: E501 (as it was printed)

EMPTY = '  {\n      "report": [\n      ]\n  }\n'

CONFIGURATION = """\
global_filter=["a|^/dev/loop[0-9]$|","r|.*|"]
use_devicesfile=0
devicesfile="system.devices"
"""

REPEATED = "WARNING: Ignoring duplicate config value: global_filter\n"


def answer(report=REPORT, configuration=CONFIGURATION, errors="", status=0):
    return (
        f"[san:begin report]\n{report}\n[stderr]\n{errors}\n[san:end report {status}]\n"
        f"[san:begin configuration]\n{configuration}\n[san:end configuration 0]"
    ).splitlines()


def test_volumes_of_a_real_report():
    """A group with its volume, and a physical volume that no group has taken yet."""
    state = parse(answer())
    assert state.installed
    assert state.physical_volumes == (
        PhysicalVolume("/dev/loop0", "storage", 100663296, missing=False),
        PhysicalVolume("/dev/loop1", None, 52428800, missing=False),
    )
    assert state.volume_groups == (
        VolumeGroup(
            "storage", 100663296, 79691776, 4194304, ("/dev/loop0",), exported=False, partial=False
        ),
    )
    assert state.logical_volumes == (
        LogicalVolume("storage", "test", "/dev/storage/test", 20971520, active=True, open=True),
    )
    assert state.global_filter == ("a|^/dev/loop[0-9]$|", "r|.*|")
    assert state.devices_file is None
    assert state.warnings == ()


@pytest.mark.parametrize(
    "remark",
    ["  Reading the configuration.", "WARNING: something\n\nand more", "lvm[7]: {not JSON"],
)
def test_a_remark_before_the_report_is_no_part_of_it(remark):
    state = parse(answer(report=f"{remark}\n{REPORT}", errors="and this"))
    assert state.lv("storage", "test").size == 20971520
    assert state.warnings[0] == remark.splitlines()[0].strip()
    assert state.warnings[-1] == "and this"


def test_the_log_of_a_command_is_passed_over():
    log = ', "log": [{"log_seq_num":"1", "log_type":"status", "log_context":"processing"}]\n  }\n'
    report = REPORT.rstrip().removesuffix("}") + log
    assert parse(answer(report=report)) == parse(answer())


SHAPES = (
    *("prefix", "command_names", "verbose", "silent", "indent", "report_command_log"),
    *("binary_values_as_numeric", "compact_output", "compact_output_cols", "prefixes"),
    *("two_word_unknown_device", "mark_hidden_devices"),
)
"""Settings of lvm.conf that change what is printed. Of a real LVM 2.03.16, prefix, command_names,
compact_output and prefixes made an answer that couldn't be read, and binary_values_as_numeric one
whose every volume was missing ('0' is not '')."""


@pytest.mark.parametrize("command", ["fullreport", "lvmconfig"])
def test_what_a_hosts_settings_would_change_is_set_for_each_command(tmp_path, command):
    lvm = tmp_path / "lvm"
    lvm.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "${{LVM_COMMAND_PROFILE-none}}" "$@" >>{tmp_path}/$1\n'
    )
    lvm.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LVM_COMMAND_PROFILE": "odd"}
    subprocess.run(("sh", "-c", shell()), env=path, capture_output=True, check=True)
    profile, _, *words = (tmp_path / command).read_text().splitlines()
    assert profile == "none"
    given = words[words.index("--config") + 1]
    assert [name for name in SHAPES if f" {name}=" not in given] == []


def test_things_by_name():
    state = parse(answer())
    assert state.vg("storage").free == 79691776
    assert state.lv("storage", "test").size == 20971520
    assert state.pv("/dev/loop1").vg is None
    assert (state.vg("other"), state.lv("storage", "other"), state.pv("/dev/x")) == (None,) * 3


def test_not_installed_is_not_empty():
    """Empty is what a Secondary shows: its DRBD devices can't be opened."""
    lines = "[san:begin report]\n\n[san:end report 127]\n[san:begin configuration]\n\n"
    assert parse([*lines.splitlines(), "[san:end configuration 127]"]) == LvmState(installed=False)
    state = parse(answer(report=EMPTY))
    assert (state.installed, state.volume_groups, state.physical_volumes) == (True, (), ())


def test_a_volume_that_is_not_active_is_not_open():
    report = REPORT.replace('"active"', '""').replace('"open"', '"unknown"')
    volume = parse(answer(report=report)).logical_volumes[0]
    assert (volume.active, volume.open) == (False, False)


def test_without_device_mapper_nobody_knows_what_is_active():
    report = REPORT.replace('"active"', '"unknown"').replace('"open"', '"unknown"')
    volume = parse(answer(report=report)).logical_volumes[0]
    assert (volume.active, volume.open) == (None, None)


def test_a_missing_disk_and_an_exported_group():
    missing = REPORT.replace(
        '"/dev/loop0", "vg_name":"storage", "pv_size":"100663296", "pv_missing":""',
        '"[unknown]", "vg_name":"storage", "pv_size":"100663296", "pv_missing":"missing"',
    ).replace(
        '"vg_exported":"", "vg_partial":""', '"vg_exported":"exported", "vg_partial":"partial"'
    )
    state = parse(answer(report=missing))
    assert state.physical_volumes[0] == PhysicalVolume("[unknown]", "storage", 100663296, True)
    assert state.vg("storage").exported
    assert state.vg("storage").partial


def test_a_repeated_setting_is_told_once():
    state = parse(answer(errors=REPEATED, configuration=REPEATED + CONFIGURATION))
    assert state.warnings == (REPEATED.strip(),)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('global_filter=["a|.*|"]', None),
        ("global_filter=[]", None),
        ('# global_filter=["a|.*|"]', None),
        ('global_filter="r|^/dev/vdb$|"', ("r|^/dev/vdb$|",)),
        ('global_filter=["a|^/dev/drbd.*|", "r|\\\\.bak$|"]', ("a|^/dev/drbd.*|", "r|\\.bak$|")),
    ],
)
def test_the_filter_in_force(line, expected):
    configuration = f'{line}\nuse_devicesfile=0\ndevicesfile="system.devices"\n'
    assert parse(answer(configuration=configuration)).global_filter == expected


ENTRIES = """\
file /etc/lvm/devices/system.devices
entry /etc/lvm/devices/system.devices # LVM uses devices listed in this file.
entry /etc/lvm/devices/system.devices IDTYPE=devname IDNAME=/dev/drbd0 DEVNAME=/dev/drbd0 PVID=tZeW
"""


def test_a_devices_file_makes_the_filter_void():
    used = CONFIGURATION.replace("use_devicesfile=0", "use_devicesfile=1")
    state = parse(answer(configuration=ENTRIES + used))
    path = "/etc/lvm/devices/system.devices"
    assert state.devices_file == DevicesFile(path, True, ("/dev/drbd0",))
    assert state.devices_file_in_use
    assert state.global_filter is None


def test_a_devices_file_that_is_not_there_leaves_the_filter_in_force():
    used = CONFIGURATION.replace("use_devicesfile=0", "use_devicesfile=1")
    state = parse(answer(configuration=used))
    assert not state.devices_file_in_use
    assert state.global_filter == ("a|^/dev/loop[0-9]$|", "r|.*|")


def test_a_devices_file_that_is_not_used_is_nothing():
    assert parse(answer(configuration=ENTRIES + CONFIGURATION)).devices_file is None


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "lacks a part"),
        (answer(status=5, errors="  Parse error at line 3"), "status 5: Parse error at line 3"),
        (answer(report="{"), "no report"),
        (answer(report='{"report": 7}'), "no report"),
        (answer(report=REPORT.replace('"vg_free":"79691776", ', "")), "lacks vg_free"),
        (answer(report=REPORT.replace("79691776", "76.00m")), "'76.00m', not bytes"),
        (answer(configuration="Failed to load config"), "no settings: Failed to load"),
        (answer(configuration="use_devicesfile=@"), "is no value"),
        (
            [
                *["[san:begin report]", "[san:end report 124]"],
                *["[san:begin configuration]", "[san:end configuration 124]"],
            ],
            "in time",
        ),
        (
            [*answer()[:-1], "[san:end configuration 5]"],
            "lvmconfig failed with status 5",
        ),
    ],
)
def test_unreadable_is_not_empty(lines, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        parse(lines)


names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,20}", fullmatch=True)
sizes = st.integers(0, 2**60)


@given(
    st.lists(
        st.tuples(names, sizes, sizes, st.lists(st.tuples(names, sizes, st.booleans()))),
        unique_by=lambda group: group[0],
    )
)
def test_any_volumes_come_back(groups):
    """What is written as LVM writes it is read as it was meant."""
    report = {
        "report": [
            {
                "vg": [
                    {
                        "vg_name": vg,
                        "vg_size": str(size),
                        "vg_free": str(free),
                        "vg_extent_size": "4194304",
                        "vg_exported": "",
                        "vg_partial": "",
                    }
                ],
                "pv": [],
                "lv": [
                    {
                        "vg_name": vg,
                        "lv_name": lv,
                        "lv_path": f"/dev/{vg}/{lv}",
                        "lv_size": str(bytes_),
                        "lv_active": "active" if active else "",
                        "lv_device_open": "",
                    }
                    for lv, bytes_, active in volumes
                ],
            }
            for vg, size, free, volumes in groups
        ]
    }
    state = parse(answer(report=json.dumps(report, indent=4)))
    assert [(g.name, g.size, g.free) for g in state.volume_groups] == [g[:3] for g in groups]
    assert [(v.vg, v.name, v.size, v.active) for v in state.logical_volumes] == [
        (vg, *volume) for vg, _, _, volumes in groups for volume in volumes
    ]


def test_the_script_runs_nothing_that_changes():
    assert not {"pvscan", "vgchange", "lvchange", "--cache"} & set(shell().split())
