"""What the watch sees in the kernel's files."""

import subprocess

import pytest

from san.render.template import raw


@pytest.mark.parametrize(
    ("name", "uuid", "seen"),
    [
        ("storage-test", "LVM-storagetest", "storage/test"),
        ("my--store-a--b", "LVM-storagetest", "my-store/a-b"),
        ("storage-test", "CRYPT-LUKS2-0123-storage-test", ""),
        ("storage-test", "part1-LVM-storagetest", ""),
        ("storage-test", "", ""),
        ("storage-pool-tpool", "LVM-storagepool-tpool", ""),
    ],
)
def test_a_volume_is_one_of_lvms(tmp_path, name, uuid, seen):
    device = tmp_path / "block/dm-0/dm"
    device.mkdir(parents=True)
    (device / "name").write_text(f"{name}\n")
    (device / "uuid").write_text(f"{uuid}\n")
    text = raw("watch/Sight.pm").replace("/sys/block", str(tmp_path / "block"))
    (tmp_path / "Sight.pm").write_text(text)
    found = subprocess.run(
        ("perl", "-I", tmp_path, "-MSight", "-e", "print join ' ', keys %{Sight::volumes()}"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == seen
