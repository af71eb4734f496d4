"""The serving node loses its power under a writing client; no acknowledged write is lost."""

import pytest

from san.drill import pair, power_cut
from san.lab.progress import Silent

NODES = ("weasel", "otter")
BY_HAND = 38.9  # seconds: the gap of a run by hand with plain settings, in the same emulated lab


@pytest.mark.lab
def test_a_power_cut_loses_nothing(deployed_lab, tmp_path):
    report = power_cut.run(deployed_lab, NODES, "badger", out=tmp_path, progress=Silent())

    assert report.lost == 0
    assert report.errors == 0
    assert report.gap < BY_HAND
    assert not deployed_lab.powered(report.struck)
    (replica,) = pair.replicas(deployed_lab, [report.survivor])
    assert replica.role == "Primary"
