"""The guide's own choices give the guide's own lines."""

import attrs

from san.model import DrbdResource, Volume, VolumeGroup
from san.render.haresources import haresources
from san.render.iet import ietd_conf


def test_haresources(guide_cluster):
    assert haresources(guide_cluster) == (
        "weasel drbddisk::r0 LVM::storage IPaddr::192.168.1.1/24/eth2"
        " IPaddr::192.168.2.1/24/eth3 arp_filter iscsi-target\n"
    )


def test_ietd_conf(guide_cluster):
    assert ietd_conf(guide_cluster) == (
        "Target iqn.2009-02.com.example:test\n"
        "\tLun 0 Path=/dev/storage/test,Type=fileio\n"
        "\tAlias test\n"
    )


def test_haresources_of_several_resources_and_groups(guide_cluster):
    cluster = attrs.evolve(
        guide_cluster,
        resources=(
            *guide_cluster.resources,
            DrbdResource("r1", disk="/dev/sdc", minor=1, port=7789),
        ),
        volume_groups=(
            *guide_cluster.volume_groups,
            VolumeGroup("backup", resources=("r1",), volumes=(Volume("old", "1G"),)),
        ),
    )
    assert haresources(cluster).startswith(
        "weasel drbddisk::r0 drbddisk::r1 LVM::storage LVM::backup IPaddr::"
    )
