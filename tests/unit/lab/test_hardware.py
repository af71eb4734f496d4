"""The digest of the hardware: memory is loaded only where it was saved."""

import pytest

from san.lab import grub, hardware, qemu


@pytest.fixture(autouse=True)
def _qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A QEMU of a known build, which nothing runs."""
    monkeypatch.setattr(hardware, "build", lambda binary: f"{binary} version 7.2")


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (qemu, "MEMORY_MIB", 512),
        (grub, "CONFIG", grub.CONFIG.replace("rw", "ro")),
    ],
)
def test_each_part_changes_it(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object
):
    """The machine itself, and the arguments that its kernel was booted with."""
    before = hardware.digest("tcg", "qemu")
    assert hardware.digest("tcg", "qemu") == before
    monkeypatch.setattr(module, name, value)
    assert hardware.digest("tcg", "qemu") != before


def test_accelerator_and_build_change_it():
    """Emulation and KVM don't share a memory, nor do two builds."""
    known = {hardware.digest(*of) for of in (("tcg", "a"), ("kvm", "a"), ("tcg", "b"))}
    assert len(known) == 3
