"""What reading a replicated disk found; what could not be read is no zero."""

import pytest

from san.observe.content import Content, parse, shell
from san.observe.sections import UnreadableError


def answer(*said, status=0, minor=0):
    return [f"[san:begin content-{minor}]", *said, "", f"[san:end content-{minor} {status}]"]


@pytest.mark.parametrize(
    ("said", "found", "zero", "shown"),
    [
        ("zero", Content(), True, "all zero"),
        ("partly 68719476736", Content(read=64 << 30), False, "zero in the first 65536 MiB"),
        ("partly 0", Content(read=0), False, "zero in the first 0 MiB"),
        ("content 536", Content(at=536), False, "content at byte 536"),
        ("content 0", Content(at=0), False, "content at byte 0"),
    ],
)
def test_what_was_found(said, found, zero, shown):
    (read,) = parse(answer(said)).disks
    assert (read, read.zero, str(read)) == (found, zero, shown)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("unreadable 4096: Input/output error",), 0),
        (("busy",), 0),
        ((), 0),
        (("zero",), 124),
        (("sh: 1: perl: not found",), 127),
    ],
)
def test_what_could_not_be_read_is_no_zero(said, status):
    with pytest.raises(UnreadableError, match="a replicated disk can't be read"):
        parse(answer(*said, status=status))


def test_each_disk_in_its_order():
    output = [*answer("zero"), *answer("content 5", minor=1)]
    assert parse(output).disks == (Content(), Content(at=5))


def test_a_device_without_a_size_is_not_read():
    """It has never seen its peer, so nobody knows how much is compared."""
    script = shell([(7, "/dev/disk/by-id/a b")], "PROGRAM")
    assert "/sys/class/block/drbd7/size || exit" in script
    assert "-gt 0 ] || exit" in script
