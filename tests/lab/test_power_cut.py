"""The serving node loses its power under a writing client; no acknowledged write is lost."""

import pytest

from san.drill import pair, power_cut
from san.lab.progress import Silent
from tests.lab.cluster import connection, deploy, serving

NODES = ("weasel", "otter")
BY_HAND = 38.9  # seconds: the gap of a run by hand with plain settings, in the same emulated lab


@pytest.mark.lab
def test_a_power_cut_loses_nothing_and_the_node_comes_back_as_the_standby(deployed_lab, tmp_path):
    report = power_cut.run(deployed_lab, NODES, "badger", out=tmp_path, progress=Silent())

    assert report.lost == 0
    assert report.errors == 0
    assert report.gap < BY_HAND
    assert not deployed_lab.powered(report.struck)
    (replica,) = pair.replicas(deployed_lab, [report.survivor])
    assert replica.role == "Primary"

    # The node comes back by itself: links up, replicated, standing by. A run finds nothing to do.
    deployed_lab.power_on(report.struck)
    deployed_lab.wait_ssh([report.struck])
    connection(deployed_lab, report.survivor, "Connected")
    run = deploy()
    assert run.returncode == 0, run.log
    assert run.changed == 0, run.log
    assert serving(deployed_lab) == report.survivor
