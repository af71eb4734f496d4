"""The reference cluster, bare and deployed."""

import pytest
from bed import ROOT, SECRETS, Bed

from san.inventory import load


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bare(tmp_path, secrets):  # noqa: ARG001 (the inventory names them)
    """The reference cluster on bare hosts."""
    return Bed(tmp_path, load(ROOT / "inventory.py"))


@pytest.fixture(scope="session")
def _served(tmp_path_factory):
    """A deployed world, made once."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in SECRETS.items():
            environment.setenv(name, value)
        bed = Bed(tmp_path_factory.mktemp("served"), load(ROOT / "inventory.py"))
    ran = bed.run("-y")
    assert ran.returncode == 0, ran.output
    return bed.keep(), ran


@pytest.fixture
def served(bare, _served):
    """The reference cluster, deployed."""
    bare.restore(_served[0])
    return bare


@pytest.fixture
def stopped(served):
    """Heartbeat stopped on both nodes, as for a new key; nobody serves."""
    world = served.world
    world.release(world.machines["weasel"])
    for name in ("weasel", "otter"):
        world.machines[name].heartbeat = None
    world.save(served.directory)
    return served


@pytest.fixture(scope="session")
def first_run(_served):
    """The run from bare to serving."""
    return _served[1]
