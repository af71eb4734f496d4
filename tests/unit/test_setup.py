"""What `make` sets up is what the rest needs."""

import os
import re
import subprocess
import sys
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


def test_the_tests_are_found_in_a_checkout_that_has_no_secrets_yet(tmp_path):
    """As after `git clone`: where secrets.env is there already, no other test would see it."""
    without = {name: value for name, value in os.environ.items() if not name.endswith("_SECRET")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "tests"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=without | {"SAN_SECRETS_FILE": str(tmp_path / "secrets.env")},
    )

    assert done.returncode == 0, done.stdout + done.stderr
