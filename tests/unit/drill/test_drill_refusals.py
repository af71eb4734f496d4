"""When a drill must not begin."""

import pytest

from san.drill import client, pair
from san.drill.client import Disk
from san.drill.errors import DrillRefusedError

PROC_DRBD = """\
version: 8.4.11 (api:1/proto:86-101)
srcversion: 4B1FF6EF0BBF6E60E5DFAB1

 0: cs:{connection} ro:{role}/{peer} ds:{disk} C r-----
    ns:540 nr:8 dw:548 dr:2217 al:6 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""


def replica(node, role, peer, connection="Connected", disk="UpToDate/UpToDate"):
    text = PROC_DRBD.format(connection=connection, role=role, peer=peer, disk=disk)
    (found,) = pair.parse_proc_drbd(node, text)
    return found


def test_the_primary_serves():
    pair_of_replicas = (
        replica("weasel", "Secondary", "Primary"),
        replica("otter", "Primary", "Secondary"),
    )
    assert pair.serving(pair_of_replicas) == "otter"


@pytest.mark.parametrize(
    ("replicas", "reason"),
    [
        ((), "DRBD is Primary on no node"),
        ((replica("weasel", "Secondary", "Unknown"),), "DRBD is Primary on no node"),
        (
            (replica("weasel", "Primary", "Primary"), replica("otter", "Primary", "Primary")),
            "DRBD is Primary on otter and weasel",
        ),
        (
            (
                replica("weasel", "Primary", "Unknown", "WFConnection", "UpToDate/DUnknown"),
                replica("otter", "Secondary", "Unknown", "WFConnection", "UpToDate/DUnknown"),
            ),
            "DRBD on weasel is WFConnection, UpToDate/DUnknown: nobody could take over",
        ),
        (
            (
                replica("weasel", "Primary", "Secondary", "SyncSource", "UpToDate/Inconsistent"),
                replica("otter", "Secondary", "Primary", "SyncTarget", "Inconsistent/UpToDate"),
            ),
            "nobody could take over",
        ),
    ],
)
def test_a_pair_that_could_not_take_over_is_refused(replicas, reason):
    with pytest.raises(DrillRefusedError, match=reason):
        pair.serving(replicas)


MAPS = """\
map mpatha 1048576
path sda running /sys/devices/platform/host2/session1/target2:0:0/2:0:0:1
path sdb {state} /sys/devices/platform/host3/session2/target3:0:0/3:0:0:1
map local 2097152
path sdc running /sys/devices/pci0000:00/0000:00:05.0/virtio2/host0/target0:0:0/0:0:0:0
"""


def test_the_disk_is_the_map_whose_paths_are_iscsi():
    disk = client.the_disk(client.parse_maps(MAPS.format(state="running")), "badger")
    assert disk == Disk("mpatha", 512 * 1024**2, (("sda", "running"), ("sdb", "running")))
    assert disk.device == "/dev/mapper/mpatha"
    assert disk.blocks == client.REGION


def test_a_small_disk_is_gone_round_whole():
    assert Disk("small", 10 * 4096 + 512, ()).blocks == 10


@pytest.mark.parametrize(
    ("maps", "reason"),
    [
        ("", "badger has none as multipath maps over iSCSI"),
        (MAPS.format(state="transport-offline"), "path sdb of mpatha on badger is transport-off"),
        (
            MAPS.format(state="running") + MAPS.format(state="running").replace("mpatha", "mpathb"),
            "badger has mpatha, mpathb as multipath maps",
        ),
    ],
)
def test_a_client_without_one_whole_disk_is_refused(maps, reason):
    with pytest.raises(DrillRefusedError, match=reason):
        client.the_disk(client.parse_maps(maps), "badger")
