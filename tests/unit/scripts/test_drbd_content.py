"""content: whether a disk holds anything, on loop devices."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from private_machine import loop_device, run

from san.observe.disks import parse, shell
from san.observe.sections import Section
from san.render.programs import CONTENT

SIZE = 64 << 20
PLACES = {
    "first": 0,
    "below 1 MiB": (1 << 20) - 1,
    "4 KiB": 4096,
    "last MiB": SIZE - (1 << 20),
    "superblock of DRBD": SIZE - 4096,
    "last": SIZE - 1,
}


@pytest.fixture
def disk(tmp_path):
    """A block device of zeros, and the file below it; reads fail where that is cut off."""
    image = tmp_path / "image"
    with loop_device(image, SIZE, "--direct-io=on") as device:
        yield device, image


def content(device, *bytes_):
    done = subprocess.run(
        ["perl", "-e", CONTENT, device, *map(str, bytes_)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.rstrip("\n")


def write(device, at, what=b"x"):
    with Path(device).open("r+b") as file:
        file.seek(at)
        file.write(what)
        file.flush()
        os.fsync(file.fileno())


def observed(device):
    """What the fact says of the disk."""
    script = shell([("r0", device)], CONTENT)
    done = run("sh", "-c", script, check=False)
    return parse(Section(done.returncode, tuple(done.stdout.splitlines())))["r0"]


def test_a_disk_of_zeros(disk):
    device, _ = disk
    assert content(device) == content(device, SIZE) == "zero"
    found = observed(device)
    assert (found.blank, found.size, found.problem) == (True, SIZE, None)
    assert found.unstable, "a loop device's own name"


@pytest.mark.parametrize("place", PLACES)
def test_content_without_a_signature(disk, place):
    device, _ = disk
    write(device, PLACES[place])
    assert content(device) == content(device, SIZE) == f"content {PLACES[place]}"
    found = observed(device)
    assert (found.signatures, found.content, found.blank) == ((), PLACES[place], False)


def test_what_lies_in_the_middle_is_found_where_all_is_read(disk):
    device, _ = disk
    write(device, SIZE // 2 + 5)
    assert content(device) == "zero"
    assert content(device, SIZE) == f"content {SIZE // 2 + 5}"
    assert content(device, SIZE // 2) == "zero", "only what is to be read"


def test_a_read_error_is_not_zero(disk):
    """wipefs finds nothing there, and succeeds."""
    device, image = disk
    os.truncate(image, SIZE - (4 << 20))
    assert run("wipefs", "--no-act", device).stdout == ""
    assert re.fullmatch(r"unreadable \d+: Input/output error", content(device))
    found = observed(device)
    assert (found.blank, found.problem) == (False, "Input/output error")


def test_what_is_in_the_cache_is_not_what_is_on_the_disk(disk):
    device, image = disk
    with Path(device).open("rb") as cached:
        cached.read(1 << 20)
        os.truncate(image, 0)
        assert re.fullmatch(r"unreadable 0: Input/output error", content(device))


def test_a_disk_that_somebody_has_for_himself(disk):
    """As LIO, a database or plain dm-crypt has it: no signature, no holder, no mount."""
    device, _ = disk
    claim = os.open(device, os.O_RDWR | os.O_EXCL)
    try:
        assert content(device) == "busy"
        found = observed(device)
        assert (found.busy, found.blank, found.holders, found.mounts) == (True, False, (), ())
    finally:
        os.close(claim)
    assert content(device) == "zero"


def test_the_claim_is_given_back(disk):
    device, _ = disk
    content(device)
    os.close(os.open(device, os.O_RDWR | os.O_EXCL))


def test_it_changes_nothing(disk):
    device, image = disk
    write(device, 12345, b"data")
    before = image.read_bytes()
    observed(device)
    content(device, SIZE)
    assert image.read_bytes() == before


def test_a_disk_that_is_not_there():
    assert content("/dev/nothing-there") == "unreadable 0: No such file or directory"


def test_a_disk_that_ends_early(disk):
    device, _ = disk
    assert content(device, SIZE + 4096) == f"unreadable {SIZE}: the disk ends there"


@pytest.mark.parametrize("size", [65536, (1 << 20) + 512, 5 * 512])
def test_a_small_or_odd_disk(tmp_path, size):
    with loop_device(tmp_path / "image", size) as device:
        assert content(device) == "zero"
        write(device, size - 1)
        assert content(device) == f"content {size - 1}"
