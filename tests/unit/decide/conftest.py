"""The reference cluster."""

import pytest
from states import SECRETS, reference


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cluster(secrets):  # noqa: ARG001 (the inventory names them)
    return reference()
