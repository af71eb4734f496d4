"""LVM's filter, judged by LVM's own rule."""

import re
from functools import cache

import attrs
from hypothesis import given
from hypothesis import strategies as st
from reference import reference

from san.model import Volume, VolumeGroup
from san.render.lvm import lvm_filter, udev_rules

KERNEL_NAMES = st.from_regex(r"/dev/(sd[a-z]|vd[a-z]|nvme[0-9]n1|dm-[0-9])", fullmatch=True)
LINKS = st.from_regex(r"/dev/disk/by-(id|path)/[A-Za-z0-9][A-Za-z0-9_.+:@=-]{0,20}", fullmatch=True)


def accepts(configuration, names):
    """lvm.conf(5): one accepted name accepts; else one rejected rejects; no match accepts."""
    line = next(line for line in configuration.splitlines() if "global_filter" in line)
    patterns = [(text[0], text[2:-1]) for text in re.findall(r'"([^"]+)"', line)]
    verdicts = set()
    for name in names:
        for verdict, pattern in patterns:
            if re.search(pattern, name):
                verdicts.add(verdict)
                break
    return "a" in verdicts or "r" not in verdicts


def filter_for(disk, backing=()):
    cluster = loaded()
    resource = attrs.evolve(cluster.resources[0], disk=disk)
    return lvm_filter(attrs.evolve(cluster, resources=(resource,)), "weasel", backing)


@cache
def loaded():
    return reference()


@given(disk=LINKS | KERNEL_NAMES, others=st.lists(LINKS | KERNEL_NAMES))
def test_the_backing_disk_is_rejected_whatever_else_it_is_called(disk, others):
    assert not accepts(filter_for(disk), [*others, disk])


@given(disk=LINKS, system=st.lists(LINKS | KERNEL_NAMES, min_size=1))
def test_every_other_disk_stays(disk, system):
    """The root file system may be on LVM."""
    assert accepts(filter_for(disk), [name for name in system if name != disk])


@given(disk=LINKS)
def test_drbd_is_accepted(disk):
    names = ["/dev/drbd0", "/dev/drbd/by-res/r0/0", f"/dev/drbd/by-disk{disk.removeprefix('/dev')}"]
    assert accepts(filter_for(disk), names)


@given(disk=LINKS, backing=st.lists(LINKS))
def test_further_names_reject_too(disk, backing):
    for name in backing:
        assert not accepts(filter_for(disk, tuple(backing)), [name])


def test_a_sign_of_the_path_is_no_pattern():
    found = filter_for("/dev/disk/by-id/a.b+c")
    assert not accepts(found, ["/dev/disk/by-id/a.b+c"])
    assert accepts(found, ["/dev/disk/by-id/axbbc"])
    assert accepts(found, ["/dev/disk/by-id/a.b+c-part1"])


def test_no_devices_file():
    assert "use_devicesfile = 0" in filter_for("/dev/sdb")


def test_no_program_of_a_node_looks_into_a_volume():
    """Device-mapper's own flags, for each group: what mdadm's, bcache's and LVM's rules obey."""
    more = VolumeGroup("fast-1.x+y", resources=("r1",), volumes=(Volume("one", "1G"),))
    cluster = attrs.evolve(loaded(), volume_groups=(*loaded().volume_groups, more))
    rules = [line for line in udev_rules(cluster).splitlines() if not line.startswith("#")]
    assert len(rules) == len(cluster.volume_groups)
    for rule, group in zip(rules, cluster.volume_groups, strict=True):
        words = rule.split(", ")
        assert f'ENV{{DM_VG_NAME}}=="{group.name}"' in words
        for flag in ("DM_UDEV_DISABLE_DISK_RULES_FLAG", "DM_UDEV_DISABLE_OTHER_RULES_FLAG"):
            assert f'ENV{{{flag}}}="1"' in words


def test_a_group_inside_a_volume_is_not_looked_for():
    assert "scan_lvs = 0" in [line.strip() for line in filter_for("/dev/vdb").splitlines()]
