"""save-image: the whole of the data, compared with the disk, and nothing that was there is lost."""

import hashlib
import os
import subprocess

import attrs
import pytest

from san.render.programs import SAVE

MIB = 1 << 20
DATA = b"".join(number.to_bytes(2, "big") * 512 for number in range(1, 5 * 1024 + 5)) + bytes(MIB)
METADATA = b"DRBD's own" * 1000


@attrs.frozen
class Node:
    """A node with a backing disk, and programs that do something else than usual."""

    path: os.PathLike

    @property
    def image(self):
        return self.path / "keep/r0-otter.img"

    @property
    def disk(self):
        return self.path / "disk"

    def instead(self, program, text):
        """Put a program of that name first in the path."""
        file = self.path / "bin" / program
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def save(self):
        # A file system under a test may know no direct reads.
        script = (
            SAVE.replace("/sys/block/drbd$minor", str(self.path))
            .replace("iflag=direct,", "iflag=")
            .replace('"$disk" direct', '"$disk"')
        )
        return subprocess.run(
            ["sh", "-c", script, "san-image", self.disk, "0", self.image],
            env={"PATH": f"{self.path / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def node(tmp_path):
    for name in ("bin", "keep"):
        (tmp_path / name).mkdir()
    (tmp_path / "disk").write_bytes(DATA + METADATA)
    (tmp_path / "size").write_text(f"{len(DATA) // 512}\n")
    return Node(tmp_path)


def test_the_data_is_saved_without_the_metadata(node):
    done = node.save()
    assert done.returncode == 0, done.stderr
    assert node.image.read_bytes() == DATA
    assert node.image.stat().st_mode & 0o777 == 0o600
    assert node.image.stat().st_blocks * 512 < len(DATA), "zeros take no room"
    digest = hashlib.sha256(DATA).hexdigest()
    assert (node.path / "keep/r0-otter.img.sha256").read_text() == f"{digest}  r0-otter.img\n"
    assert "100 % of 6 MiB saved" in done.stdout
    assert sorted(each.name for each in (node.path / "keep").iterdir()) == [
        "r0-otter.img",
        "r0-otter.img.sha256",
    ]


def test_an_image_of_an_earlier_call_counts(node):
    assert node.save().returncode == 0
    kept = node.image.stat().st_mtime_ns
    again = node.save()
    assert again.returncode == 0, again.stderr
    assert "is what the disk holds" in again.stdout
    assert node.image.stat().st_mtime_ns == kept


@pytest.mark.parametrize("content", [b"of another night", DATA[:-1] + b"x"])
def test_a_file_that_is_something_else_stays(node, content):
    node.image.write_bytes(content)
    done = node.save()
    assert done.returncode == 1
    assert "isn't what the disk holds: move it away" in done.stderr
    assert node.image.read_bytes() == content


def test_what_an_ended_call_left_is_written_anew(node):
    (node.path / "keep/r0-otter.img.part").write_bytes(b"half" * len(DATA))
    assert node.save().returncode == 0
    assert node.image.read_bytes() == DATA


def test_no_room_is_said_before_a_byte_is_written(node):
    node.instead("df", "echo Avail; echo 1048576")
    done = node.save()
    assert done.returncode == 1
    assert "has 1 MiB free, and the data is 6 MiB: name another --image" in done.stderr
    assert list((node.path / "keep").iterdir()) == []


def test_no_directory(node):
    (node.path / "keep").rmdir()
    done = node.save()
    assert done.returncode == 1
    assert "isn't a directory here: name another --image" in done.stderr


def test_a_disk_that_is_written_to_meanwhile_is_noticed(node):
    node.instead("truncate", f'printf x >"{node.disk}.x"; cat "{node.disk}.x" 1<>"{node.disk}" >&1')
    done = node.save()
    assert done.returncode == 1
    assert "something still writes" in done.stderr
    assert not node.image.exists()


def test_a_disk_that_fails_is_no_image(node):
    node.instead("dd", "echo 'dd: error reading: Input/output error' >&2; exit 1")
    done = node.save()
    assert done.returncode == 1
    assert not node.image.exists()
