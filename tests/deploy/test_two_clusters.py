"""Two clusters in one inventory."""

import pickle

import attrs
import pytest
from bed import Bed
from simulation import Machine

from san.model import Client, Lun, Node, Portal, Site, Target


def other(cluster):
    """A second cluster: other names and addresses, the same shape."""
    management, replication, *paths = cluster.networks
    replication = attrs.evolve(replication, subnet="10.10.11.0/24")
    return attrs.evolve(
        cluster,
        name="second",
        nodes=(
            Node("stoat", addresses={"replication": "10.10.11.1/24"}),
            Node("polecat", addresses={"replication": "10.10.11.2/24"}),
        ),
        networks=(management, replication, *paths),
        portals=(Portal("192.168.1.2/24"), Portal("192.168.2.2/24")),
        targets=(Target("iqn.2009-02.com.example:second", luns=(Lun(1, "storage/test"),)),),
        clients=(
            Client(
                "marten",
                iqn="iqn.2009-02.com.example:marten",
                addresses={"path-a": "192.168.1.20/24", "path-b": "192.168.2.20/24"},
            ),
        ),
    )


@pytest.fixture
def two(bare):
    clusters = (bare.cluster, other(bare.cluster))
    return Bed(bare.directory, Site(clusters))


def test_both_converge_in_one_run_at_the_same_time(two):
    ran = two.run("-y")
    assert ran.returncode == 0, ran.output
    assert two.world.serving("reference") == "weasel"
    assert two.world.serving("second") == "stoat"
    assert two.world.accidents == []
    order = [host for host, _ in ran.commands]
    assert order.index("stoat") < order.index("weasel") + 20
    assert order.index("weasel") < order.index("stoat") + 20
    assert two.run("--json", "-y").changed == set()


def of(cluster, world):
    """What a run is for of one cluster."""
    lasting = world.lasting()
    machines = {name: it for name, it in lasting.machines.items() if it.cluster == cluster}
    return machines, lasting.physical[cluster], lasting.logical[cluster]


def left(ran):
    """What the run says at its end: the clusters that were left, with reasons."""
    assert ran.returncode == 1, ran.output
    said = ran.output.partition("--> Clusters that this run has left:\n")[2]
    return dict(line.strip().split(": ", 1) for line in said.splitlines() if line[:4] == "    ")


@pytest.mark.parametrize("more", [(), ("--config", "nothing.py")], ids=["", "no config.py"])
def test_a_refusal_leaves_its_cluster_and_the_other_converges(two, more):
    two.change(polecat=lambda node: node.disk.signatures.append("ext4"))
    before = two.world
    ran = two.run("-y", *more)
    sentence = "/dev/disk/by-id/virtio-data for r0 (/dev/vdb) isn't empty"
    assert f"\npolecat: {sentence}" in ran.output
    ((name, why),) = left(ran).items()
    assert name == "second"
    assert why.startswith(f"polecat: {sentence}")
    assert of("second", two.world) == of("second", before)
    assert two.world.serving("reference") == "weasel"
    assert two.world.accidents == []


def test_a_plan_is_made_for_the_other_and_says_which_was_left(two):
    two.change(polecat=lambda node: node.disk.signatures.append("ext4"))
    before = two.world
    ran = two.run("--json", "--dry")
    assert left(ran).keys() == {"second"}
    planned = two.run("--json", "--dry", "--limit", "@fake/weasel", "--limit", "@fake/otter")
    nodes = {each for each in ran.planned if each[1] in {"@fake/weasel", "@fake/otter"}}
    assert nodes == planned.planned
    assert two.world == before


def test_nobody_is_asked_to_go_on_without_a_host(two):
    """A person can't know what a cluster may go on without; the other one goes on anyway."""
    two.change(polecat=lambda node: setattr(node, "broken", "apt-get install"))
    ran = two.run()
    assert "continue?" not in ran.output
    assert left(ran) == {"second": "polecat failed in 'Packages'; see above"}
    assert two.world.serving("reference") == "weasel"


def test_a_failure_in_the_middle_leaves_its_cluster_there(two):
    two.change(stoat=lambda node: setattr(node, "broken", "drbdadm create-md"))
    ran = two.run("-y")
    assert left(ran) == {"second": "stoat failed in 'Replication, standby first'; see above"}
    at = next(at for at, (_, command) in enumerate(ran.commands) if "create-md" in command)
    second = {"stoat", "polecat", "marten"}
    assert not [
        command
        for host, command in ran.commands[at:]
        if host in second and ("haresources" in command or "iscsiadm" in command)
    ]
    assert two.world.serving("reference") == "weasel"


@pytest.mark.parametrize("more", [(), ("--config", "nothing.py")], ids=["", "no config.py"])
@pytest.mark.parametrize("away", [("polecat",), ("marten",)], ids=" ".join)
def test_a_host_that_is_away_leaves_its_cluster(two, away, more):
    two.change(**{name: lambda each: setattr(each, "reachable", False) for name in away})
    ran = two.run("-y", *more)
    ((name, why),) = left(ran).items()
    assert name == "second"
    assert f"{away[0]} can't be reached" in why
    assert two.world.serving("reference") == "weasel"
    assert {host for host, _ in ran.commands} == {"weasel", "otter", "badger"}


def test_a_cluster_that_is_away_as_a_whole_is_named_too(two):
    hosts = ("stoat", "polecat", "marten")
    two.change(**{name: lambda each: setattr(each, "reachable", False) for name in hosts})
    ran = two.run("-y")
    assert left(ran) == {"second": "no host answers"}
    assert two.world.serving("reference") == "weasel"


def test_one_whose_hosts_all_fail_at_once_is_named_too(two):
    hosts = ("stoat", "polecat", "marten")
    two.change(**{name: lambda each: setattr(each, "broken", "apt-get install") for name in hosts})
    why = left(two.run("-y"))["second"]
    assert {*hosts} <= set(why.replace(" and ", " ").split()), why
    assert two.world.serving("reference") == "weasel"


def test_the_operators_own_limit_of_failures_still_ends_the_run(two):
    two.change(polecat=lambda node: node.disk.signatures.append("ext4"))
    ran = two.run("-y", "--fail-percent", "10")
    assert "Over 10% of hosts failed" in ran.refusal
    assert ran.commands == []


def test_a_limit_to_one_cluster_leaves_the_other_alone(two):
    ran = two.run("-y", "--limit", "@fake/weasel", "--limit", "@fake/otter")
    assert ran.returncode == 0, ran.output
    assert set(ran.per_host) == {"weasel", "otter"}


def test_a_host_of_another_group_may_have_data_of_the_same_names(two):
    """They are its own: pyinfra's data have no namespaces."""
    others = [("printer", {"member": "of the office"}), ("scanner", {"cluster": 7, "member": 7})]
    (two.directory / "others").write_bytes(pickle.dumps(others))
    world = two.world
    for name, _ in others:
        world.machines[name] = Machine(name, "none", hostname=name, node=False)
    world.save(two.directory)
    ran = two.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert not {host for _, host in ran.changed} & {"@fake/printer", "@fake/scanner"}
    two.change(printer=lambda other: setattr(other, "reachable", False))
    ran = two.run("--json", "-y")
    assert left(ran) == {}
    assert ran.changed == set()
