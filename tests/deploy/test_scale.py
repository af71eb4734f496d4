"""Many clusters in one run: what the bench measures, and that its hosts are at rest."""

import pytest
from bench_scale import measure, settled


@pytest.fixture
def sizes(served, tmp_path_factory):
    """What a run costs, by the number of clusters."""

    def costs(size):
        directory = tmp_path_factory.mktemp("settled")
        return measure(settled(directory, served, size), size)

    return {size: costs(size) for size in (1, 3)}


def test_each_cluster_costs_the_same_commands(sizes):
    assert sizes[3]["commands"] == 3 * sizes[1]["commands"]
    assert sizes[1]["commands"] <= 19, "the aim"


def test_the_figures_are_those_of_the_run(sizes):
    for row in sizes.values():
        assert set(row) == {"clusters", "cpu_seconds", "wall_seconds", "commands", "rss_mib"}
        assert 0 < row["cpu_seconds"] < row["wall_seconds"]
