"""What `make` sets up is what the rest needs."""

import re
from pathlib import Path

from san.lab import requirements

ROOT = Path(__file__).parents[2]


def test_every_tool_of_the_lab_comes_with_a_listed_package():
    lines = (ROOT / "debian-packages.txt").read_text(encoding="utf-8").splitlines()
    listed = {line.split("#")[0].strip() for line in lines} - {""}

    assert set(requirements.REQUIRED_PACKAGES) <= listed


def test_every_listed_package_has_its_reason():
    for line in (ROOT / "debian-packages.txt").read_text(encoding="utf-8").splitlines():
        assert not line or re.fullmatch(r"(\S+ +)?# \S.*", line)


def test_the_lock_pins_and_names_no_index():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)

    assert {"pyinfra", "attrs", "pytest", "setuptools"} <= set(pinned)
    assert "://" not in lock, "an index's address is the machine's business"
