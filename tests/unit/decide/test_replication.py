"""Metadata only where nothing is; the first sync is skipped only where there is nothing to copy."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import ATTACHED, DISK, NEW, USED, device, disk, drbd

from san.decide import first_sync
from san.decide.backing import unsafe
from san.decide.grown import grown
from san.decide.refusal import Refusal
from san.decide.replication import comes_after, first_generation
from san.decide.replication import steps as steps_on
from san.observe.content import Content
from san.observe.disks import Disk
from san.observe.drbd_claims import Claim, Claims

CREATE = ("drbdadm", "create-md", "r0")
ADJUST = ("drbdadm", "adjust", "r0")
DETACH = ("drbdadm", "detach", "r0")
NAMED = frozenset({"otter/r0"})
OTHER = "/dev/disk/by-id/virtio-other"


def steps(cluster, resource, state, named=frozenset()):
    return steps_on(cluster, resource, "otter", state, named)


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
        (disk("drbd", busy=True), "is in use: something on the node has it for itself"),
        (disk(busy=True), "is in use: something on the node has it for itself"),
        (disk("ext4", busy=True), "it carries ext4"),
        (disk(content=8192), "it carries content without a signature, at byte 8192"),
        (disk("drbd", problem="Input/output error"), "can't be read: Input/output error"),
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


def test_no_command_that_destroys_is_advised(resource):
    """The disk may be the only good copy, with DRBD's metadata no longer where it is looked for."""
    said = unsafe(resource, disk("LVM2_member"))
    assert "find out whose it is" in said
    assert "name another disk in the inventory unless nobody needs it" in said
    assert not any(word in said for word in ("wipefs", "dd ", "blkdiscard", "--all"))


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
    running = drbd(device("Primary"), on=disk("LVM2_member", busy=True))
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


def test_a_device_that_lost_its_disk_gets_no_new_metadata_unless_that_is_named(cluster, resource):
    """The disk may be the only copy, read as empty by a broken cable or under a wrong name."""
    lost = drbd(device(disk="Diskless"))
    for named in (frozenset(), frozenset({"weasel/r0"}), frozenset({"r0"})):
        with pytest.raises(Refusal, match=r"--data replaced_disk=otter/r0"):
            list(steps(cluster, resource, lost, named))
    assert list(steps(cluster, resource, lost, NAMED)) == [CREATE, ADJUST]
    for found in (disk("ext4"), disk(content=0), disk(problem="EIO"), disk(busy=True)):
        with pytest.raises(Refusal):
            list(steps(cluster, resource, attrs.evolve(lost, disks={"r0": found}), NAMED))


# --- Another disk for a running resource ----------------------------------------------------------


def another(own=None, **parts):
    """r0 runs, and the inventory has another disk for it."""
    return drbd(own or device(), on=disk(path=OTHER, device="/dev/vdc", **parts))


def test_another_blank_disk_takes_the_place_of_the_running_one_where_that_is_named(
    cluster, resource
):
    assert list(steps(cluster, resource, another(), NAMED)) == [DETACH, CREATE, ADJUST]
    with pytest.raises(Refusal, match=r"--data replaced_disk=otter/r0"):
        list(steps(cluster, resource, another()))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (drbd(device(), on=disk("ext4", path=OTHER, device="/dev/vdc")), "it carries ext4"),
        (drbd(device(), on=disk("drbd", path=OTHER, device="/dev/vdc")), "metadata already"),
        (another(mounts=("/srv",)), "is in use: mounted on /srv"),
        (another(busy=True), "is in use: something"),
        (another(problem="Input/output error"), "can't be read: Input/output error"),
        (another(content=0), "content without a signature, at byte 0"),
        (another(block=False), "is no block device"),
        (another(size=ATTACHED.size), "too small for the 536870912 bytes of /dev/drbd0"),
        *(
            (another(device(connection=state, peer_disk=its)), "may be the last good copy")
            for state, its in [
                ("WFConnection", "DUnknown"),
                ("StandAlone", "DUnknown"),
                ("Connected", "Inconsistent"),
                ("Connected", "Outdated"),
                ("Connected", "Diskless"),
                ("WFConnection", "UpToDate"),
            ]
        ),
    ],
)
def test_the_new_disk_is_judged_first_and_the_last_copy_is_kept(cluster, resource, state, says):
    with pytest.raises(Refusal, match=says):
        list(steps(cluster, resource, state, NAMED))


def test_the_same_disk_by_another_name_is_detached_only_beside_a_good_copy(cluster, resource):
    renamed = disk("drbd", path=OTHER, busy=True)
    plan = ("drbdsetup-84 detach 0",)
    assert list(steps(cluster, resource, drbd(device(), on=renamed, adjust_plan=plan))) == [ADJUST]
    alone = device(connection="WFConnection", peer_disk="DUnknown")
    with pytest.raises(Refusal, match="may be the last good copy"):
        list(steps(cluster, resource, drbd(alone, on=renamed, adjust_plan=plan)))


@pytest.mark.parametrize("step", ["detach", "del-minor"])
def test_what_adjust_would_detach_is_not_detached_alone(cluster, resource, step):
    """Whatever it does that for: another place for the metadata, another minor."""
    plan = (f"drbdsetup-84 {step} 0",)
    assert list(steps(cluster, resource, drbd(device(), adjust_plan=plan))) == [ADJUST]
    alone = device(connection="StandAlone", peer_disk="DUnknown")
    with pytest.raises(Refusal, match="may be the last good copy"):
        list(steps(cluster, resource, drbd(alone, adjust_plan=plan)))


def test_a_disk_that_nobody_tells_is_no_equal_one(cluster, resource):
    with pytest.raises(Refusal, match="which disk r0 has can't be told"):
        list(steps(cluster, resource, drbd(device(), claims=Claims())))


# --- Somebody else's resources, and names that move -----------------------------------------------

THEIRS = Claim("other", "/etc/drbd.d/other.res", 7, "/dev/vdz", "/dev/vdz", 7799)
OURS = Claim("r0", "/etc/drbd.d/r0.res", 0, DISK, "/dev/vdb", 7788)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (
            {"running": (attrs.evolve(ATTACHED, resource="other"),)},
            "/dev/drbd0 is the DRBD resource 'other' on otter, not r0",
        ),
        (
            {"configured": (attrs.evolve(THEIRS, minor=0),)},
            r"'other' \(/etc/drbd.d/other.res\) has /dev/drbd0",
        ),
        ({"configured": (attrs.evolve(THEIRS, port=7788),)}, "has port 7788"),
        ({"configured": (attrs.evolve(THEIRS, device="/dev/vdb"),)}, f"has {DISK}"),
        ({"configured": (attrs.evolve(THEIRS, resource="r0"),)}, "has its name"),
        ({"configured": (attrs.evolve(OURS, file="/etc/drbd.conf"),)}, "/etc/drbd.conf.* its name"),
        ({"problem": "/etc/drbd.d/a.res:3: Parse error"}, "can't read .*a.res:3: Parse error"),
    ],
)
@pytest.mark.parametrize("own", [None, device("Primary")])
def test_what_another_resource_has_is_not_taken(cluster, resource, claims, says, own):
    """drbdadm refuses both of them once ours is installed beside it."""
    with pytest.raises(Refusal, match=says):
        list(steps(cluster, resource, drbd(own, claims=Claims(**claims))))


def test_where_nobody_serves_the_preferred_nodes_disk_is_given_up_after_its_peers(
    cluster, resource
):
    """Both act at once then, and each would rely on the other's copy."""

    def node(*role, path):
        claims = Claims(running=(ATTACHED,))
        return drbd(device(*role), on=disk(path=path), claims=claims)

    leaving, whole = node(path=OTHER), node(path=DISK)
    both = {"weasel": leaving, "otter": leaving}
    assert comes_after(cluster, resource, "otter", both) is None
    assert "peer's disk of r0 is replaced first" in comes_after(cluster, resource, "weasel", both)
    assert comes_after(cluster, resource, "weasel", {**both, "otter": whole}) is None
    assert comes_after(cluster, resource, "weasel", {"weasel": leaving}) is None
    serving = {"weasel": node("Primary", path=OTHER), "otter": leaving}
    assert comes_after(cluster, resource, "weasel", serving) is None, "its turn is the second"


def test_metadata_on_a_disk_of_its_own_is_not_taken_over(cluster, resource):
    """By our file adjust detaches the disk, finds no metadata at its end, and stops there."""
    claims = Claims(running=(attrs.evolve(ATTACHED, meta="/dev/sdc"),))
    running = drbd(device(), on=disk("drbd"), claims=claims)
    with pytest.raises(Refusal, match="r0 keeps DRBD's metadata on /dev/sdc"):
        list(steps(cluster, resource, running))
    claims = Claims(running=(attrs.evolve(ATTACHED, meta="internal"),))
    assert list(steps(cluster, resource, attrs.evolve(running, claims=claims))) == []


def test_our_own_file_and_one_that_shares_nothing_are_no_matter(cluster, resource):
    claims = Claims(running=(ATTACHED,), configured=(OURS, THEIRS))
    assert list(steps(cluster, resource, drbd(device(), on=disk("drbd"), claims=claims))) == []


@pytest.mark.parametrize("own", [None, device(), device(disk="Diskless")])
def test_a_name_that_may_be_another_disks_is_refused_with_the_stable_ones(cluster, resource, own):
    kernels = disk("drbd", path="/dev/vdb", links=("/dev/vdb", DISK, "/dev/disk/by-uuid/x"))
    with pytest.raises(Refusal, match=f"/dev/vdb for r0 may be .* it is {DISK} too; write a name"):
        list(steps(cluster, resource, drbd(own, on=kernels)))
    bare = attrs.evolve(kernels, links=())
    with pytest.raises(Refusal, match="no stable name for it"):
        list(steps(cluster, resource, drbd(own, on=bare)))


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


ZERO, PARTLY, HOLDS = Content(), Content(read=64 << 30), Content(at=536)


@pytest.mark.parametrize(
    ("one", "other", "equal", "said_new"),
    [
        (ZERO, ZERO, True, True),
        (ZERO, PARTLY, False, True),
        (PARTLY, PARTLY, False, True),
        (HOLDS, ZERO, False, False),
        (HOLDS, PARTLY, False, False),
        (HOLDS, HOLDS, False, False),
    ],
)
def test_no_first_sync_only_where_all_is_zero_or_said_to_be_new(
    resource, one, other, equal, said_new
):
    """Metadata made by hand around data looks new, and so does a disk that was only discarded."""
    both_disks = {"weasel/r0", "otter/r0"}
    named = ((set(), equal), ({"r0", "weasel/r0"}, equal), (both_disks, equal or said_new))
    for contents in (both(one, other), both(other, one)):
        for new_disks, passes in named:
            if passes:
                first_sync.judge(resource, contents, frozenset(new_disks))
            else:
                with pytest.raises(Refusal, match=r"--data sync_from=NODE/r0"):
                    first_sync.judge(resource, contents, frozenset(new_disks))


def test_the_refusal_says_which_side_holds_what(resource):
    with pytest.raises(
        Refusal, match=r"weasel: content at byte 536; otter: zero in the first 65536"
    ):
        first_sync.judge(resource, both(HOLDS, PARTLY), frozenset())


@pytest.mark.parametrize(
    ("names", "node"),
    [
        ({"weasel/r0"}, "weasel"),
        ({"otter/r0", "weasel/r1"}, "otter"),
        ({"weasel/r0", "otter/r0"}, None),
        ({"r0", "weasel"}, None),
        (set(), None),
    ],
)
def test_the_side_that_is_named_is_copied(cluster, resource, names, node):
    assert first_sync.named(cluster, resource, frozenset(names)) == node
    commands = [words[1:] for words in first_sync.steps(resource, node)]
    if node is None:
        assert commands == [("new-current-uuid", "--clear-bitmap", "r0/0")]
    else:
        assert commands == [("primary", "--force", "r0"), ("secondary", "r0")]


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
            "busy": st.just(True),
            "content": st.just(4096),
            "path": st.just(OTHER),
        },
    ),
)
states = st.builds(
    lambda own, on, plan: drbd(own, on=on, adjust_plan=plan if own else None),
    st.none() | st.builds(device, disk=st.sampled_from(["UpToDate", "Diskless", "Inconsistent"])),
    disks,
    st.sampled_from([(), ("drbdsetup-84 net-options r0 --ping-int=3",)]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=states, named=st.sampled_from([frozenset(), NAMED]))
def test_metadata_is_never_made_on_anything(cluster, state, named):
    resource = cluster.resource("r0")
    try:
        commands = list(steps(cluster, resource, state, named))
    except Refusal:
        return
    assert set(commands) <= {CREATE, ADJUST, DETACH}
    if CREATE in commands:
        assert state.disks["r0"].blank
        assert named or not state.devices
    if state.devices and state.devices[0].disk != "Diskless":
        assert (CREATE in commands) == (DETACH in commands)
    assert list(steps(cluster, resource, applied(state, commands))) == []


def applied(state, commands):
    """The state after the commands."""
    if CREATE in commands:
        state = attrs.evolve(state, disks={"r0": disk("drbd", path=state.disks["r0"].path)})
    if ADJUST in commands:
        attached = attrs.evolve(ATTACHED, disk=state.disks["r0"].path)
        state = attrs.evolve(
            state, devices={0: device()}, adjust_plan=(), claims=Claims(running=(attached,))
        )
    return state
