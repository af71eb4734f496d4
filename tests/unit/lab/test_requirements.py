"""A machine without the lab's tools is told which packages bring them."""

import pytest

from san.lab import requirements
from san.lab.errors import LabError


def test_missing_packages_are_named_once(monkeypatch: pytest.MonkeyPatch):
    """One sentence, ready to paste; two tools of one package are one word in it."""
    there = {"qemu-system-x86_64", "qemu-img", "mke2fs", "vde_switch", "wirefilter", "newuidmap"}
    monkeypatch.setattr(requirements, "find", lambda tool: "/x" if tool in there else None)
    with pytest.raises(LabError, match=r"apt-get install mmdebstrap openssh-client$"):
        requirements.check()


def test_complete_machine_passes(monkeypatch: pytest.MonkeyPatch):
    """Nothing to say."""
    monkeypatch.setattr(requirements, "find", lambda _: "/x")
    requirements.check()


def test_required_packages_cover_every_tool():
    """The Makefile installs this tuple."""
    assert set(requirements.REQUIRED_PACKAGES) == set(requirements.TOOLS.values())
