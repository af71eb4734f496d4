"""Volumes are made and grown, never taken away; foreign ones are left alone."""

import re

import attrs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference import reference
from states import EXTENT, checked, disk, lvm

from san.decide.refusal import Refusal
from san.decide.volumes import steps
from san.model import DrbdResource, Volume, VolumeGroup

MIB = 1 << 20
AT_REST = lvm([("/dev/drbd0", "storage")], [("storage", "test", 512 * MIB)])
DESTRUCTIVE = re.compile(
    r"wipefs|remove|reduce|resize|pvmove|vgexport|vgcfgrestore|mkfs|dd|--force|-f+|-ff?y?"
)


def with_volumes(cluster, *volumes, resources=("r0",)):
    known = {each.name for each in cluster.resources}
    more = tuple(
        DrbdResource(name, disk=f"/dev/{name}", minor=minor, port=7800 + minor)
        for minor, name in enumerate(resources)
        if name not in known
    )
    group = VolumeGroup("storage", resources=tuple(resources), volumes=tuple(volumes))
    luns = cluster.targets[0].luns
    return checked(
        attrs.evolve(
            cluster,
            resources=(*cluster.resources, *more),
            volume_groups=(group,),
            targets=(
                attrs.evolve(
                    cluster.targets[0],
                    luns=(attrs.evolve(luns[0], volume=f"storage/{volumes[0].name}"),),
                ),
            ),
        )
    )


def test_all_is_made_on_a_blank_device(cluster):
    assert list(steps(cluster, lvm())) == [
        ("pvcreate", "--quiet", "/dev/drbd0"),
        (
            *("vgcreate", "--quiet", "--setautoactivation", "n", "--systemid", ""),
            *("storage", "/dev/drbd0"),
        ),
        (
            *("lvcreate", "--quiet", "--yes", "--wipesignatures", "y"),
            *("--size", "536870912b", "--name", "test", "storage"),
        ),
    ]


def test_nothing_is_done_at_rest(cluster):
    assert list(steps(cluster, AT_REST)) == []


def test_a_made_physical_volume_is_used(cluster):
    first = next(steps(cluster, lvm([("/dev/drbd0", None)])))
    assert first[0] == "vgcreate"


def test_a_volume_grows(cluster):
    grown = with_volumes(cluster, Volume("test", "600M"))
    assert list(steps(grown, AT_REST)) == [
        ("lvextend", "--quiet", "--size", f"{600 * MIB}b", "storage/test")
    ]


def test_a_volume_never_shrinks(cluster):
    smaller = with_volumes(cluster, Volume("test", "100M"))
    with pytest.raises(Refusal, match="a volume is never shrunk; write its real size"):
        list(steps(smaller, AT_REST))


def test_what_lvm_rounded_up_is_no_larger_volume(cluster):
    odd = with_volumes(cluster, Volume("test", "511M"))
    assert list(steps(odd, AT_REST)) == []


def test_a_volume_that_is_declared_no_longer_stays(cluster):
    more = lvm(
        [("/dev/drbd0", "storage")],
        [("storage", "test", 512 * MIB), ("storage", "old", MIB), ("other", "x", MIB)],
    )
    assert list(steps(cluster, more)) == []


def test_another_resource_extends_the_group(cluster):
    wider = with_volumes(cluster, Volume("test", "512M"), resources=("r0", "r1"))
    assert list(steps(wider, AT_REST)) == [
        ("pvcreate", "--quiet", "/dev/drbd1"),
        ("vgextend", "--quiet", "storage", "/dev/drbd1"),
    ]


def test_a_group_with_other_disks_is_refused(cluster):
    wider = lvm([("/dev/drbd0", "storage"), ("/dev/vdc", "storage")])
    with pytest.raises(Refusal, match=re.escape("'storage' lies on /dev/vdc too")):
        list(steps(cluster, wider))


def test_a_group_of_that_name_elsewhere_is_refused(cluster):
    with pytest.raises(Refusal, match=re.escape("'storage' lies on /dev/sda3 too")):
        list(steps(cluster, lvm([("/dev/sda3", "storage")])))


def test_a_group_with_a_missing_disk_is_refused(cluster):
    """r1 isn't Primary here: what LVM doesn't see is there, and nothing is made anew on it."""
    wider = with_volumes(cluster, Volume("test", "512M"), resources=("r0", "r1"))
    seen = lvm([("/dev/drbd0", "storage"), ("[unknown]", "storage")])
    partial = tuple(attrs.evolve(each, partial=True) for each in seen.volume_groups)
    with pytest.raises(Refusal) as told:
        list(steps(wider, attrs.evolve(seen, volume_groups=partial)))
    assert "'storage' lacks a physical volume, and LVM doesn't find /dev/drbd1" in str(told.value)
    assert not re.search("pvmove|pvcreate|vgextend", str(told.value))


@pytest.mark.parametrize("name", ["/dev/vdb", "/dev/disk/by-id/virtio-data"])
def test_a_view_past_drbd_is_refused(cluster, name):
    for seen in (lvm([(name, "storage")]), lvm([("/dev/drbd0", "storage"), (name, "storage")])):
        with pytest.raises(Refusal) as told:
            list(steps(cluster, seen, {"r0": disk("drbd", "LVM2_member")}))
        assert "LVM looks past DRBD at /dev/vdb, the backing disk of r0" in str(told.value)
        assert not re.search("pvmove|vgreduce|wipefs", str(told.value))


def test_a_device_of_another_group_is_refused(cluster):
    with pytest.raises(Refusal, match=re.escape("/dev/drbd0 belongs to the volume group 'old'")):
        list(steps(cluster, lvm([("/dev/drbd0", "old")])))


sizes = st.integers(min_value=1, max_value=900)
names = st.sampled_from(["test", "mail", "home"])
wanted = st.lists(st.builds(Volume, names, sizes.map("{}M".format)), min_size=1, max_size=3)
devices = st.sampled_from(["/dev/drbd0", "/dev/drbd1", "/dev/sda3"])
found = st.builds(
    lambda physical, logical: lvm(
        sorted(physical.items()),
        [("storage", name, size * EXTENT) for name, size in logical.items()]
        if "storage" in physical.values()
        else [],
    ),
    st.dictionaries(devices, st.none() | st.sampled_from(["storage", "other"]), max_size=3),
    st.dictionaries(names, st.integers(min_value=1, max_value=300), max_size=3),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(volumes=wanted, resources=st.sampled_from([("r0",), ("r0", "r1")]), state=found)
def test_twice_is_once_and_nothing_is_ever_lost(volumes, resources, state):
    """Applied to the state, the commands leave nothing to do; none of them takes anything away."""
    assume(len({volume.name for volume in volumes}) == len(volumes))
    cluster = with_volumes(reference(), *volumes, resources=resources)
    try:
        commands = list(steps(cluster, state))
    except Refusal:
        return
    for word in (word for command in commands for word in command):
        assert not DESTRUCTIVE.fullmatch(word)
    after = state
    for command in commands:
        after = applied(after, command)
    assert list(steps(cluster, after)) == []
    for old in state.logical_volumes:
        assert after.lv(old.vg, old.name).size >= old.size
    for volume in volumes:
        assert after.lv("storage", volume.name).size >= volume.bytes


def applied(state, command):
    """The state after a command, as LVM would have it."""
    physical = [(each.name, each.vg) for each in state.physical_volumes]
    logical = [(each.vg, each.name, each.size) for each in state.logical_volumes]
    match command:
        case ("pvcreate", "--quiet", name):
            assert name not in dict(physical)
            physical.append((name, None))
        case ("vgcreate", _, _, _, "--systemid", "", group, *names) | (
            ("vgextend", _, group, *names)
        ):
            for name in names:
                assert dict(physical)[name] is None
                physical.remove((name, None))
                physical.append((name, group))
        case ("lvcreate", *_, "--size", size, "--name", name, group):
            assert state.lv(group, name) is None
            logical.append((group, name, rounded(size)))
        case ("lvextend", *_, size, path):
            group, name = path.split("/")
            old = state.lv(group, name).size
            assert rounded(size) > old
            logical.remove((group, name, old))
            logical.append((group, name, rounded(size)))
        case _:
            raise AssertionError(command)
    return lvm(physical, logical)


def rounded(size):
    return -(-int(size.removesuffix("b")) // EXTENT) * EXTENT


class TestRest:
    """A volume that has what its group has left."""

    REST = ("--extents", "100%FREE")

    def found(self, *volumes, free=0, on=("/dev/drbd0",)):
        state = lvm(
            [(device, "storage") for device in on],
            [("storage", name, size * MIB) for name, size in volumes],
        )
        (group,) = state.volume_groups
        return attrs.evolve(state, volume_groups=(attrs.evolve(group, free=free),))

    def test_it_is_made_last(self, cluster):
        cluster = with_volumes(cluster, Volume("all", "100%FREE"), Volume("test", "64M"))
        made = [words for words in steps(cluster, lvm([], [])) if words[0] == "lvcreate"]
        assert [words[-2] for words in made] == ["test", "all"]
        assert made[1][5:7] == self.REST

    @pytest.mark.parametrize(("free", "grows"), [(0, False), (EXTENT, True)])
    def test_it_grows_with_its_group(self, cluster, free, grows):
        cluster = with_volumes(cluster, Volume("all", "100%FREE"))
        found = list(steps(cluster, self.found(("all", 64), free=free)))
        assert found == [("lvextend", "--quiet", "--extents", "+100%FREE", "storage/all")] * grows

    def test_it_gets_nothing_that_another_volume_takes(self, cluster):
        cluster = with_volumes(cluster, Volume("all", "100%FREE"), Volume("test", "64M"))
        found = list(steps(cluster, self.found(("all", 64), free=64 * MIB)))
        assert [words[0] for words in found] == ["lvcreate"]

    def test_it_grows_by_a_disk_that_comes(self, cluster):
        cluster = with_volumes(cluster, Volume("all", "100%FREE"), resources=("r0", "r1"))
        found = [words[0] for words in steps(cluster, self.found(("all", 64)))]
        assert found == ["pvcreate", "vgextend", "lvextend"]
