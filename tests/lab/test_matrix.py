"""The faults that a cluster must stand at every `make test`; `make drill` plays the others, too."""

import pytest

from san.drill import matrix, scenario
from san.lab.progress import Silent

NODES = ("weasel", "otter")

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("name", matrix.CORE)
def test_the_cluster_stands(deployed_lab, tmp_path, name):
    seen = scenario.play(
        deployed_lab,
        matrix.FAULTS[name],
        NODES,
        "badger",
        depth=16,
        seconds_before=5.0,
        out=tmp_path,
        progress=Silent(),
    )

    assert seen.lost == 0
    assert seen.writers == 1
    assert seen.problems == ()
