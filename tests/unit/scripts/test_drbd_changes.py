"""changes: DRBD's bitmap on LVM's map, as both programs print them."""

import subprocess

import pytest

from san.render.programs import CHANGES

EXTENT = 4 << 20

BITMAP = """\
# DRBD meta data dump
uuid {
    0x0000000000000004; 0x1111111111111110; 0x0000000000000000; 0x0000000000000000;
    flags 0x00000000;
}
bm-byte-per-bit 4096;
bm {
   # at 0kB
    0x0000000000000005; 0x0000000000000000; 0x0000000000000000; 0x0000000000000000;
    3 times 0xFFFFFFFFFFFFFFFF;
    9 times 0x0000000000000000;
    0x8000000000000001; 2 times 0x0000000000000080; 0x0000000000000000;
    0xFFFFFFFFFFFFFFFF;
}
# bits-set 263;
"""
"""Bits 0, 2; 256 to 447; 1024, 1087; 1095, 1159; 1280 to 1343."""

MAP = f"""\
  1048576|{EXTENT}|0|1|storage|test
  1048576|{EXTENT}|1|1|storage|scratch
  1048576|{EXTENT}|2|1|storage|
  1048576|{EXTENT}|3|1|storage|test
"""

ACTIVE = """\
v: 0

	nn: lc_number (new nr) refcnt
 	    0:     -1 -"-           0 
	    1:      1 -"-           1 
	    2:   5000        7      0 
"""  # noqa: E101, W291 (the kernel's own)


@pytest.fixture
def node(tmp_path):
    """Its programs print what they print on a node."""
    minors = tmp_path / "minors/0"
    minors.mkdir(parents=True)
    (minors / "act_log_extents").write_text(ACTIVE)

    def run(*, bitmap=BITMAP, lvm="cat MAP", minor="0"):
        (tmp_path / "BITMAP").write_text(bitmap)
        (tmp_path / "MAP").write_text(MAP)
        for name, does in {"drbdmeta": "cat BITMAP", "lvm": lvm}.items():
            program = tmp_path / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>asked\n{does}\n')
            program.chmod(0o755)
        return subprocess.run(
            ["perl", "-e", CHANGES.replace("/sys/kernel/debug/drbd/minors", "minors"),
             minor, "/dev/vdb"],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip

    run.asked = tmp_path / "asked"
    return run


def test_each_block_is_counted_for_the_volume_that_it_lies_in(node):
    done = node()
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "elsewhere 8",
        "volume storage/scratch 256",
        "volume storage/test 784",
        "active storage/scratch",
        "active storage/test",
    ]


def test_it_reads_past_the_filter_and_changes_nothing(node):
    node()
    asked = node.asked.read_text()
    assert "--readonly" in asked
    assert "--devices /dev/vdb" in asked
    assert "drbdmeta --force 0 v08 /dev/vdb internal dump-md" in asked


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"lvm": "exit 5"}, "lvm ends with 5"),
        ({"bitmap": "bm {\n    0x0000000000000001;\n"}, "drbdmeta's dump has no end"),
        ({"minor": "7"}, "minors/7/act_log_extents: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_no_zero(node, how, reason):
    done = node(**how)
    assert done.returncode != 0
    assert reason in done.stderr
