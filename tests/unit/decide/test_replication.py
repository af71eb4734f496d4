"""Metadata only where nothing is; the first sync is skipped only where there is nothing to copy."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import NEW, USED, device, disk, drbd

from san.decide.grown import grown
from san.decide.refusal import Refusal
from san.decide.replication import first_generation, steps, unsafe
from san.observe.disks import Disk

CREATE = ("drbdadm", "create-md", "--force", "r0")
ADJUST = ("drbdadm", "adjust", "r0")


@pytest.fixture
def resource(cluster):
    return cluster.resource("r0")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (disk("ext4"), "it carries ext4"),
        (disk("LVM2_member"), "it carries LVM2_member"),
        (disk("gpt", partitions=("vdb1",)), "it carries gpt, partition vdb1"),
        (disk(holders=("dm-0",)), "it carries device dm-0"),
        (disk("ext4", mounts=("/srv",)), "is in use: mounted on /srv"),
        (disk("swap", mounts=("[SWAP]",)), "is in use: mounted on [SWAP]"),
        (disk("drbd", mounts=("/srv",)), "is in use: mounted on /srv"),
        (disk(problem="Input/output error"), "can't be read: Input/output error"),
        (Disk("/dev/x", "/dev/x", exists=False, block=False), "isn't there"),
        (Disk("/dev/x", "/dev/x", exists=True, block=False), "is no block device"),
    ],
)
def test_a_disk_that_may_hold_something_is_unsafe(cluster, resource, found, says):
    assert says in unsafe(resource, found)
    with pytest.raises(Refusal):
        list(steps(cluster, resource, drbd(on=found)))


@pytest.mark.parametrize("found", [disk(), disk("drbd"), disk("drbd", "LVM2_member")])
def test_a_blank_disk_and_one_of_drbds_own_are_safe(resource, found):
    assert unsafe(resource, found) is None


def test_what_to_do_about_it_is_said(resource):
    said = unsafe(resource, disk("xfs"))
    assert "find out whose it is" in said
    assert "wipefs" not in said


@pytest.mark.parametrize("size", [1 << 29, (1 << 30) - 4096])
def test_a_disk_that_has_grown_is_not_called_somebodys(cluster, resource, size):
    """Its metadata lies where it ended, and what it carries is the good copy."""
    found = disk("LVM2_member")
    with pytest.raises(Refusal) as told:
        list(steps(cluster, resource, drbd(on=found, sizes={"r0": size})))
    assert f"has {1 << 30} bytes, and had {size} when DRBD used it last" in str(told.value)
    assert "drbdadm check-resize r0" in str(told.value)
    assert "wipefs" not in str(told.value)


@pytest.mark.parametrize(
    ("found", "size"),
    [
        (disk("LVM2_member"), None),
        (disk("LVM2_member"), 1 << 30),
        (disk("LVM2_member"), 1 << 31),
        (disk("drbd", "LVM2_member"), 1 << 29),
        (disk(), 1 << 29),
    ],
)
def test_a_disk_that_has_not_grown(resource, found, size):
    assert grown(resource, found, size) is None


def test_metadata_is_made_on_a_blank_disk(cluster, resource):
    assert list(steps(cluster, resource, drbd())) == [CREATE, ADJUST]


def test_metadata_that_is_there_is_taken_as_it_is(cluster, resource):
    assert list(steps(cluster, resource, drbd(on=disk("drbd", "LVM2_member")))) == [ADJUST]


def test_nothing_is_done_at_rest(cluster, resource):
    assert list(steps(cluster, resource, drbd(device(), on=disk("drbd")))) == []


def test_the_disk_of_a_running_resource_is_not_judged(cluster, resource):
    """LVM's signature shines through internal metadata; and DRBD itself holds the disk."""
    running = drbd(device("Primary"), on=disk("LVM2_member"))
    assert list(steps(cluster, resource, running)) == []


@pytest.mark.parametrize(
    "line",
    [
        # As drbdadm 9.22 prints them for 8.4's module.
        "drbdsetup-84 net-options ipv4:10.10.10.2:7788 ipv4:10.10.10.1:7788 --ping-int=3",
        "drbdsetup-84 disconnect ipv4:10.10.10.2:7788 ipv4:10.10.10.1:7788",
        "drbdsetup-84 resource-options r0 --set-defaults",
        "drbdsetup-84 attach 0 /dev/vdb",
    ],
)
def test_a_kernel_that_differs_from_the_files_is_adjusted(cluster, resource, line):
    planned = drbd(device(), on=disk("drbd"), adjust_plan=(line,))
    assert list(steps(cluster, resource, planned)) == [ADJUST]


@pytest.mark.parametrize(
    "line",
    [
        "drbdsetup-84 net-options ipv4:10.10.10.2:7789 ipv4:10.10.10.1:7789 --ping-int=3",
        "drbdsetup-84 resource-options r01 --set-defaults",
    ],
)
def test_what_is_planned_for_another_resource_is_not_ours(cluster, resource, line):
    planned = drbd(device(), on=disk("drbd"), adjust_plan=(line,))
    assert list(steps(cluster, resource, planned)) == []


def test_a_device_that_lost_its_disk_gets_it_back(cluster, resource):
    lost = drbd(device(disk="Diskless"), on=disk("drbd"))
    assert list(steps(cluster, resource, lost)) == [ADJUST]


def test_a_configuration_that_drbdadm_refuses_is_a_refusal(cluster, resource):
    refused = drbd(device(), on=disk("drbd"), refusal="r0.res:3: Parse error")
    with pytest.raises(Refusal, match=r"refuses the configuration: r0\.res:3: Parse error"):
        list(steps(cluster, resource, refused))


def both(one, other):
    return {"weasel": one, "otter": other}


@pytest.mark.parametrize(
    ("one", "other", "new"),
    [
        (NEW, NEW, True),
        (NEW, USED, False),
        (USED, NEW, False),
        (USED, USED, False),
        (NEW, None, False),
        (None, None, False),
    ],
)
def test_the_first_sync_is_skipped_only_where_both_sides_are_new(cluster, one, other, new):
    states = both(drbd(device(), generation=one), drbd(device(), generation=other))
    assert bool(list(first_generation(cluster, states))) == new
    assert bool(list(first_generation(cluster, states, planning=True))) == new


def test_one_node_alone_has_no_first_generation(cluster):
    alone = {"weasel": drbd(device(), generation=NEW)}
    assert not list(first_generation(cluster, alone))
    assert not list(first_generation(cluster, alone, planning=True))


@pytest.mark.parametrize(
    ("one", "other", "planned"),
    [
        (drbd(), drbd(), True),
        (drbd(), drbd(device(), on=disk("drbd"), generation=NEW), True),
        (drbd(), drbd(device(), on=disk("drbd"), generation=USED), False),
        (drbd(), drbd(on=disk("drbd")), False),
        (drbd(), drbd(device(), on=disk("drbd")), False),
    ],
)
def test_a_blank_side_will_be_new_says_the_plan(cluster, one, other, planned):
    assert bool(list(first_generation(cluster, both(one, other), planning=True))) == planned
    assert not list(first_generation(cluster, both(one, other)))


disks = st.builds(
    lambda kinds, parts: disk(*kinds, **parts),
    st.lists(st.sampled_from(["drbd", "ext4", "LVM2_member", "gpt", "swap"]), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "holders": st.just(("dm-0",)),
            "partitions": st.just(("vdb1",)),
            "mounts": st.just(("/srv",)),
            "problem": st.just("Input/output error"),
        },
    ),
)
states = st.builds(
    lambda own, on, plan: drbd(own, on=on, adjust_plan=plan if own else None),
    st.none() | st.builds(device, disk=st.sampled_from(["UpToDate", "Diskless", "Inconsistent"])),
    disks,
    st.sampled_from([(), ("drbdsetup-84 attach 0 /dev/vdb",)]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states)
def test_metadata_is_never_made_on_anything(cluster, state):
    resource = cluster.resource("r0")
    try:
        commands = list(steps(cluster, resource, state))
    except Refusal:
        return
    assert set(commands) <= {CREATE, ADJUST}
    if CREATE in commands:
        assert state.disks["r0"].blank
    if state.devices and state.devices[0].disk != "Diskless":
        assert CREATE not in commands
    assert list(steps(cluster, resource, applied(state, commands))) == []


def applied(state, commands):
    """The state after the commands."""
    if CREATE in commands:
        state = attrs.evolve(state, disks={"r0": disk("drbd")})
    if ADJUST in commands:
        state = attrs.evolve(state, devices={0: device()}, adjust_plan=())
    return state
