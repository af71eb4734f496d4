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


def test_nothing_discards_data_after_a_split_brain(cluster):
    found = drbd_res(cluster, cluster.resources[0])
    for line in ("after-sb-0pri discard-zero-changes;", "after-sb-1pri disconnect;"):
        assert line in found
    assert "after-sb-2pri disconnect;" in found


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
