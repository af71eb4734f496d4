"""A machine without the lab's tools is told which packages bring them."""

from pathlib import Path

import pytest

from san.lab import requirements
from san.lab.errors import LabError


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is needed beside the tools."""
    monkeypatch.setattr(requirements, "FILES", {})


def test_missing_packages_are_named_once(monkeypatch: pytest.MonkeyPatch):
    """One sentence, ready to paste; two tools of one package are one word in it."""
    there = {"qemu-system-x86_64", "qemu-img", "mke2fs", "vde_switch", "wirefilter", "newuidmap"}
    there.add("grub-mkimage")
    monkeypatch.setattr(requirements, "find", lambda tool: "/x" if tool in there else None)
    with pytest.raises(LabError, match=r"apt-get install mmdebstrap openssh-client$"):
        requirements.check()


def test_complete_machine_passes(monkeypatch: pytest.MonkeyPatch):
    """Nothing to say."""
    monkeypatch.setattr(requirements, "find", lambda _: "/x")
    requirements.check()


def test_missing_file_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """GRUB's tools may be there without GRUB for this kind of machine (one that boots by EFI)."""
    monkeypatch.setattr(requirements, "find", lambda _: "/x")
    monkeypatch.setattr(requirements, "FILES", {tmp_path / "lnxboot.img": "grub-pc-bin"})
    with pytest.raises(LabError, match=r"apt-get install grub-pc-bin$"):
        requirements.check()


def test_required_packages_cover_every_tool():
    """The Makefile installs this tuple."""
    assert {*requirements.TOOLS.values(), "grub-pc-bin"} == set(requirements.REQUIRED_PACKAGES)
