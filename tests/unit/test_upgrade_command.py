"""`san upgrade-kernel`: which clusters, in which order, and not without being asked."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

import san.upgrade
from san.cli import main

ROOT = Path(__file__).parents[2]
INVENTORY = (
    (
        (ROOT / "inventory.py")
        .read_text(encoding="utf-8")
        .replace("site = Site(", "first = Site(")
        .replace("nodes = site.nodes()", "")
        .replace("clients = site.initiators()", "")
    )
    + """
import attrs

from san.model import Everyone


def cluster(name):
    (one,) = first.clusters
    number = ("a", "b", "c").index(name) + 1
    place = f"10.10.1{number}."
    return attrs.evolve(
        one,
        name=name,
        nodes=tuple(
            attrs.evolve(
                each,
                name=f"{each.name}-{name}",
                addresses={"replication": f"{place}{index}/24"},
                ssh={},
            )
            for index, each in enumerate(one.nodes, start=1)
        ),
        networks=tuple(
            attrs.evolve(each, subnet=f"{place}0/24") if each.name == "replication" else each
            for each in one.networks
        ),
        portals=(Portal(f"192.168.1.{number}/24"), Portal(f"192.168.2.{number}/24")),
        targets=(
            attrs.evolve(
                one.targets[0], name=f"iqn.2009-02.com.example:{name}", acl=Everyone()
            ),
        ),
        clients=(),
    )


site = Site(tuple(cluster(name) for name in "abc"))
nodes = site.nodes()
clients = site.initiators()
"""
)


@pytest.fixture
def inventory(tmp_path, monkeypatch):
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, f"secret-of-{name[:5]}")
    path = tmp_path / "inventory.py"
    path.write_text(INVENTORY, encoding="utf-8")
    return path


class Runs(list):
    """What pyinfra was started with; the run of the cluster `fails` ends with 1."""

    fails = None

    def run(self, command, **_):
        self.append(command)
        return subprocess.CompletedProcess(command, int(f"weasel-{self.fails}" in command))


@pytest.fixture
def runs(monkeypatch):
    found = Runs()
    monkeypatch.setattr(san.upgrade.subprocess, "run", found.run)
    return found


def upgrade(inventory, *arguments, answer=None):
    return CliRunner().invoke(main, ["upgrade-kernel", *arguments, str(inventory)], input=answer)


def limits(command):
    return [word for at, word in enumerate(command) if command[at - 1] == "--limit"]


def of(*names):
    return [f"{node}-{name}" for name in names for node in ("weasel", "otter")]


def test_one_cluster_after_the_other(inventory, runs):
    done = upgrade(inventory, "--yes")
    assert done.exit_code == 0, done.output
    assert [limits(command) for command in runs] == [of("a"), of("b"), of("c")]
    assert all("-y" in command for command in runs)


def test_none_after_one_that_failed(inventory, runs):
    runs.fails = "b"
    done = upgrade(inventory, "--yes")
    assert done.exit_code == 1
    assert [limits(command) for command in runs] == [of("a"), of("b")]
    assert "Not begun: c." in done.output


def test_a_plan_shows_every_cluster_and_asks_nothing(inventory, runs):
    runs.fails = "a"
    done = upgrade(inventory, "--dry")
    assert done.exit_code == 1, "as a plan that could not be made"
    assert [limits(command) for command in runs] == [of("a"), of("b"), of("c")]
    assert all("--dry" in command and "-y" not in command for command in runs)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_not_without_a_yes(inventory, runs, answer):
    done = upgrade(inventory, answer=answer)
    assert done.exit_code == 1
    assert "Reboot both nodes of a, then b, then c, one at a time" in done.output
    assert runs == []


def test_a_yes_begins(inventory, runs):
    assert upgrade(inventory, answer="y\n").exit_code == 0
    assert len(runs) == 3


def test_those_that_are_named_in_the_inventorys_order(inventory, runs):
    upgrade(inventory, "--yes", "--limit", "c", "--limit", "a", "--to", "6.1.0-50-amd64")
    assert [limits(command) for command in runs] == [of("a"), of("c")]
    assert all(command[-1] == "to=6.1.0-50-amd64" for command in runs)


def test_another_name_is_refused(inventory, runs):
    done = upgrade(inventory, "--yes", "--limit", "d")
    assert done.exit_code == 2
    assert "'d' is none of a, b, c" in done.output
    assert runs == []


def test_all_at_once_where_that_is_asked_for(inventory, runs):
    done = upgrade(inventory, "--at-once", answer="y\n")
    assert "Reboot both nodes of a and b and c, one at a time" in done.output
    assert [limits(command) for command in runs] == [of("a", "b", "c")]
