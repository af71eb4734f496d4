"""The lab for tests: the running one, or one of our own that ends with the session."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from san.drill.origin import origin
from san.inventory import load
from san.lab import lifecycle
from san.lab.errors import LabError
from san.lab.lab import Lab
from san.lab.layout import Layout, default_directory
from san.lab.lifecycle import DEPLOYED
from san.lab.progress import Report
from san.lab.remote import Clock
from san.lab.sources import default_suite
from tests.lab.cluster import ROOT, deploy


@pytest.fixture(scope="session", autouse=True)
def _secrets() -> None:
    """The secrets that inventory.py names; those that are there already stay."""
    program = str(Path(sys.executable).with_name("san"))
    subprocess.run([program, "secrets", "init"], check=True, cwd=ROOT)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this checkout; started if it isn't up, and ended only if started here."""
    layout = Layout(default_directory())
    try:
        running = Lab.open(layout.directory)
    except LabError:
        yield lifecycle.up(layout, lifecycle.Wanted(default_suite()), Report())
        lifecycle.down(layout)
    else:
        yield running


@pytest.fixture
def restored(lab: Lab) -> Callable[[str], Mapping[str, Clock]]:
    """Bring the lab to a snapshot: `restored("bare")`."""
    return lab.restore


@pytest.fixture
def bare(lab: Lab) -> Lab:
    """The lab as `up` left it."""
    lab.restore(lifecycle.BARE)
    return lab


@pytest.fixture
def deployed_lab(lab: Lab) -> Lab:
    """The lab with the reference cluster deployed, at rest, weasel serving."""
    if DEPLOYED in lab.snapshots():
        lab.restore(DEPLOYED)
        return lab
    lab.restore(lifecycle.BARE)
    run = deploy()
    assert run.returncode == 0, run.log
    lab.snapshot(DEPLOYED, origin=origin(lab, load(ROOT / "inventory.py").clusters))
    return lab
