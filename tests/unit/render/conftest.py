"""The reference cluster, and the guide's own choices for it."""

import pytest
from reference import SECRETS, guide, reference


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cluster(secrets):  # noqa: ARG001 (the inventory names them)
    return reference()


@pytest.fixture
def guide_cluster(secrets):  # noqa: ARG001
    return guide()
