"""The reference cluster, with its secrets at hand."""

from pathlib import Path

import pytest

from san.inventory import load
from san.model import Cluster

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def secrets(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the checkout may have a secrets.env of its own
    monkeypatch.setenv("SAN_SECRETS_FILE", str(tmp_path / "secrets.env"))
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, "sixteen-letters.")


@pytest.fixture
def cluster(secrets) -> Cluster:  # noqa: ARG001 (the inventory names them)
    return load(ROOT / "inventory.py").clusters[0]
