"""DRBD's resource files."""

import re

import attrs
from reference import changed

from san.render.drbd import drbd_res


def test_a_disk_for_each_node(cluster):
    disk = {"weasel": "/dev/sdb", "otter": "/dev/nvme0n1"}
    resource = attrs.evolve(cluster.resources[0], disk=disk, minor=3, port=7790)
    found = drbd_res(changed(cluster, resources=(resource,)), resource)
    weasel, otter = found.split("    on ")[1:]
    assert weasel.startswith('weasel {\n        device /dev/drbd3;\n        disk "/dev/sdb";\n')
    assert "address ipv4 10.10.10.1:7790;" in weasel
    assert otter.startswith('otter {\n        device /dev/drbd3;\n        disk "/dev/nvme0n1";\n')
    assert "address ipv4 10.10.10.2:7790;" in otter


def test_nothing_discards_changes_after_a_split_brain(cluster):
    """Only a side that changed nothing takes the other's data by itself."""
    found = drbd_res(cluster, cluster.resources[0])
    assert "after-sb-0pri discard-zero-changes;" in found
    assert "after-sb-1pri consensus;" in found, "the one that serves never yields to a standby"
    assert "after-sb-2pri call-pri-lost-after-sb;" in found  # it honours what 0pri says
    for harmful in ("violently", "discard-secondary", "discard-younger", "discard-older"):
        assert harmful not in found
    assert "discard-least" not in found


def test_nobody_writes_alone_before_the_peer_is_known_of(cluster):
    found = drbd_res(cluster, cluster.resources[0])
    assert "fencing resource-and-stonith;" in found
    assert 'fence-peer "/usr/local/sbin/san-fence fence-peer";' in found


def test_a_primary_that_meets_newer_data_ends_itself(cluster):
    found = drbd_res(cluster, cluster.resources[0])
    assert "rr-conflict call-pri-lost;" in found
    for handler in ("pri-lost", "pri-lost-after-sb"):
        assert f'{handler} "/usr/local/sbin/san-fence reset ' in found


def test_a_dead_peer_is_noticed_before_heartbeats_deadtime(cluster):
    """ping-int and ping-timeout together: else promotion is refused at first."""
    found = drbd_res(cluster, cluster.resources[0])
    seconds = {
        name: int(value) / (10 if name.endswith("timeout") else 1)
        for name, value in re.findall(
            r"^ +(ping-int|connect-int|ping-timeout|timeout) (\d+);", found, re.MULTILINE
        )
    }
    assert seconds["ping-int"] + seconds["ping-timeout"] < cluster.heartbeat.deadtime
    assert seconds["timeout"] < min(seconds["ping-int"], seconds["connect-int"])
