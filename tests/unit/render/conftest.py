"""The reference cluster, and the guide's own choices for it."""

import pytest
from reference import cluster, guide, secrets

__all__ = ["cluster", "secrets"]


@pytest.fixture
def guide_cluster(secrets):  # noqa: ARG001 (the inventory names them)
    return guide()
