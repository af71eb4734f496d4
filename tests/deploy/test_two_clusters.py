"""Two clusters in one inventory."""

import attrs
import pytest
from bed import Bed

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


def test_a_refusal_in_one_says_which(two):
    two.change(polecat=lambda node: node.disk.signatures.append("ext4"))
    before = two.world
    dry = two.run("--dry").refusal
    assert "polecat: /dev/disk/by-id/virtio-data for r0 (/dev/vdb) isn't empty" in dry
    real = two.run("-y").refusal
    assert "[@fake/polecat] /dev/disk/by-id/virtio-data for r0 (/dev/vdb) isn't empty" in real
    assert two.world.lasting() == before.lasting()


def test_a_limit_to_one_cluster_leaves_the_other_alone(two):
    ran = two.run("-y", "--limit", "@fake/weasel", "--limit", "@fake/otter")
    assert ran.returncode == 0, ran.output
    assert set(ran.per_host) == {"weasel", "otter"}
