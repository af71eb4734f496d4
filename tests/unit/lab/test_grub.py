"""What QEMU boots: GRUB that looks like a kernel, with a machine's identity in it."""

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from san.lab import grub, requirements
from san.lab.errors import LabError

IDENTITY = b"070701 a machine's own archive" * 100


@pytest.fixture(scope="module")
def image() -> bytes:
    """GRUB, made by the tools of this machine."""
    return grub.image(IDENTITY)


@pytest.fixture(scope="module")
def unpacked(image: bytes) -> bytes:
    """What GRUB unpacks of itself: kernel, modules, configuration, disk in memory."""
    setup = (image[0x1F1] + 1) * 512
    # the first sector would read the rest from a disk; then comes what unpacks the rest
    packed = image[setup + 512 + (requirements.GRUB / "lzma_decompress.img").stat().st_size :]
    filters = [{"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 1 << 16}]
    return lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=filters).decompress(packed)


def test_qemu_takes_it_for_a_linux_kernel(image: bytes):
    """The boot protocol's signatures, a setup part, and `load high`."""
    assert image[0x1FE:0x200] == b"\x55\xaa"
    assert image[0x202:0x206] == b"HdrS"
    assert image[0x211] & 1


def test_configuration_is_in_it(unpacked: bytes):
    """GRUB needs no file of its own on any disk."""
    assert grub.CONFIG.encode() in unpacked


def test_identity_is_in_it(unpacked: bytes):
    """Byte for byte, under the name that the configuration gives the kernel."""
    at = unpacked.index(b"identity\0")
    with tarfile.open(fileobj=io.BytesIO(unpacked[at:])) as memdisk:
        found = memdisk.extractfile("identity")
        assert found
        assert found.read() == IDENTITY


def test_guest_decides_which_kernel():
    """Debian's links name it; the identity lies behind that kernel's own initrd."""
    lines = grub.CONFIG.splitlines()
    assert f"linux16 /vmlinuz {grub.KERNEL_ARGUMENTS}" in lines
    assert "initrd16 /initrd.img (memdisk)/identity" in lines


def test_failure_of_grub_mkimage_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It carries what the tool said."""
    monkeypatch.setattr(requirements, "GRUB", tmp_path)
    with pytest.raises(LabError, match=f"can't make what boots a machine: .*{tmp_path}"):
        grub.image(IDENTITY)
