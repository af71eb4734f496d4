"""Disks under running resources, new ones, and those of somebody else."""

import attrs
import pytest
from simulation import NEW, Disk
from test_refusals import refused

from san.model import DrbdResource

DATA = "/dev/disk/by-id/virtio-data"
OTHER = "/dev/disk/by-id/virtio-other"
NAMED = ("--data", "replaced_disk=otter/r0")


def on(bed, **disks):
    """The inventory has these disks for r0."""
    resource = DrbdResource("r0", disk={"weasel": DATA, "otter": DATA, **disks})
    bed.declare(attrs.evolve(bed.cluster, resources=(resource,)))


def of_drbd(ran):
    """The commands about disks and data, by host."""
    words = [(host, command.split()) for host, command in ran.commands]
    return [(host, each[1]) for host, each in words if each[0] == "drbdadm" and each[1] != "dump"]


@pytest.fixture
def moved(served):
    """otter's disk was another in the inventory, one that is blank."""
    served.change(otter=lambda node: node.disks.update({OTHER: Disk(device="/dev/vdc")}))
    on(served, otter=OTHER)
    return served


def test_another_disk_takes_the_place_of_the_old_one_once_it_is_named(moved):
    refused(
        moved,
        f"{OTHER} is blank, and r0 had another disk on otter",
        "--data replaced_disk=otter/r0",
        arguments=(("--dry",), ("-y",)),
    )
    ran = moved.run("-y", *NAMED)
    assert ran.returncode == 0, ran.output
    assert of_drbd(ran)[:3] == [("otter", verb) for verb in ("detach", "create-md", "adjust")]
    world = moved.world
    assert world.accidents == []
    assert world.machines["otter"].attached("r0") == OTHER
    assert world.device(world.machines["otter"], "r0")[2] == "UpToDate/UpToDate"
    assert moved.run("--json", "-y").changed == set()


FOUND = (
    ({"signatures": ["ext4"], "mounted": "/srv"}, "is in use: mounted on /srv"),
    ({"signatures": ["ext4"]}, "isn't empty: it carries ext4"),
    ({"signatures": ["drbd"]}, "carries DRBD's metadata already"),
    ({"content": "content 0"}, "content without a signature"),
    ({"content": "busy"}, "is in use"),
    ({"content": "unreadable 4096: Input/output error"}, "can't be read: Input/output error"),
    ({"size": 1 << 29}, "too small for the"),
    ({"block": False, "exists": False}, "isn't there"),
)


@pytest.mark.parametrize("arguments", [("--dry",), ("-y",)])
def test_the_new_disk_is_judged_before_the_old_one_is_given_up(moved, arguments):
    fresh, worlds = moved.keep(), []
    for change, _ in FOUND:
        moved.restore(fresh)
        disk = Disk(**{"device": "/dev/vdc", **change})
        moved.change(otter=lambda node, new=disk: node.disks.update({OTHER: new}))
        worlds.append(moved.keep())
    ends = moved.run_each(worlds, *arguments, *NAMED)
    for (_, sentence), (ran, world) in zip(FOUND, ends, strict=True):
        assert sentence in ran.refusal
        assert ran.commands == []
        assert world.accidents == []


def test_the_last_good_copy_is_never_detached(moved):
    def apart(world):
        world.replicating = False
        world.save(moved.directory)

    apart(moved.world)
    refused(moved, "its disk may be the last good copy", names=NAMED)


@pytest.mark.parametrize("state", ["served", "stopped"])
def test_both_disks_at_once_would_be_both_copies(state, request):
    """Where nobody serves, both nodes act in one turn, and each sees the other's still whole."""
    bed = request.getfixturevalue(state)
    for name in ("weasel", "otter"):
        bed.change(**{name: lambda node: node.disks.update({OTHER: Disk(device="/dev/vdc")})})
    on(bed, weasel=OTHER, otter=OTHER)
    ran = bed.run("-y", "--data", "replaced_disk=otter/r0,weasel/r0")
    assert ran.returncode == 0, ran.output
    verbs = of_drbd(ran)
    assert verbs.index(("otter", "adjust")) < verbs.index(("weasel", "detach"))
    assert "new-current-uuid" not in {verb for _, verb in verbs}
    assert bed.world.accidents == []


def test_a_minor_without_a_disk_gets_new_metadata_only_where_that_is_named(served):
    """A cable that was pulled, and a disk that reads as empty where it was plugged in again."""

    def lost(node):
        node.replicas["r0"].diskless = True
        node.disk = Disk()

    served.change(otter=lost)
    refused(served, "--data replaced_disk=otter/r0", arguments=(("--dry",), ("-y",)))
    refused(served, "--data replaced_disk=otter/r0", names=("--data", "replaced_disk=weasel/r0"))
    ran = served.run("-y", *NAMED)
    assert ran.returncode == 0, ran.output
    assert of_drbd(ran) == [("otter", "create-md"), ("otter", "adjust")]
    assert served.world.accidents == []


def test_a_disk_that_came_back_is_taken_as_it_is(served):
    served.change(otter=lambda node: setattr(node.replicas["r0"], "diskless", True))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert of_drbd(ran) == [("otter", "adjust")]


def test_a_name_that_may_be_another_disks(served):
    on(served, otter="/dev/vdb")
    refused(
        served,
        "/dev/vdb for r0 may be another disk's name after a boot",
        f"there it is {DATA} too",
        arguments=(("--dry",), ("-y",)),
    )


THEIRS = {
    "its file": (
        ["configured other", "file /etc/drbd.d/other.res", "here", "minor 0", "port 7799"],
        "the DRBD resource 'other' (/etc/drbd.d/other.res) has /dev/drbd0",
    ),
    "the kernel": (
        ["running other", "minor 0"],
        "/dev/drbd0 is the DRBD resource 'other' on otter",
    ),
    "a file that can't be read": (
        ["refusal /etc/drbd.d/other.res:3: Parse error: 'disk' expected", "dump 10"],
        "drbdadm can't read the node's resources: /etc/drbd.d/other.res:3: Parse error",
    ),
}


@pytest.mark.parametrize("where", THEIRS)
def test_somebody_elses_resource_on_our_minor(bare, where):
    """drbd-utils are there already; after our file was installed drbdadm would fail for both."""
    lines, sentence = THEIRS[where]

    def there(node):
        node.packages.add("drbd-utils")
        node.claims = lines

    bare.change(otter=there)
    refused(bare, sentence, arguments=(("--dry",), ("-y",)))


def test_somebody_elses_resource_that_is_seen_only_once_drbdadm_is_there(bare):
    bare.change(otter=lambda node: setattr(node, "claims", THEIRS["its file"][0]))
    ran = bare.run("-y")
    assert THEIRS["its file"][1] in ran.refusal
    assert "/etc/drbd.d/r0.res" not in bare.world.machines["otter"].files


# --- The first sync -------------------------------------------------------------------------------


def made_by_hand(bed, **holds):
    """Metadata that has seen no data on both nodes, around what each disk `holds`."""

    def made(node):
        node.disk.signatures.append("drbd")
        node.replicas["r0"].generation = NEW
        node.replicas["r0"].holds = holds.get(node.name, "zero")

    bed.change(weasel=made, otter=made)


def test_metadata_that_was_made_by_hand_around_data(bare):
    """DRBD would call both sides equal, and a takeover would lose all of it."""
    made_by_hand(bare, otter="content 536")
    ran = bare.run("-y")
    assert "(weasel: all zero; otter: content at byte 536)" in ran.refusal
    assert "--data sync_from=NODE/r0" in ran.refusal
    assert not {"new-current-uuid", "primary"} & {verb for _, verb in of_drbd(ran)}
    ran = bare.run("-y", "--data", "new_disks=weasel/r0,otter/r0")
    assert "content at byte 536" in ran.refusal, "what was found tells otherwise"
    ran = bare.run("-y", "--data", "sync_from=otter/r0")
    assert ran.returncode == 0, ran.output
    assert of_drbd(ran)[:2] == [("otter", "primary"), ("otter", "secondary")]
    assert "new-current-uuid" not in {verb for _, verb in of_drbd(ran)}
    assert bare.world.accidents == []
    assert bare.world.serving() == "weasel"


def test_disks_that_are_too_large_to_be_read(bare):
    for name in ("weasel", "otter"):
        bare.change(
            **{name: lambda node: setattr(node.replicas["r0"], "holds", "partly 68719476736")}
        )
    ran = bare.run("-y")
    assert "weasel: zero in the first 65536 MiB" in ran.refusal
    ran = bare.run("-y", "--data", "new_disks=weasel/r0,otter/r0")
    assert ran.returncode == 0, ran.output
    assert ("weasel", "new-current-uuid") in of_drbd(ran)


def test_a_disk_that_cannot_be_read_is_not_zero(bare):
    made_by_hand(bare, otter="unreadable 65536: Input/output error")
    ran = bare.run("-y")
    assert "could not be read; see above" in ran.refusal
    assert "new-current-uuid" not in {verb for _, verb in of_drbd(ran)}
