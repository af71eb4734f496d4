"""recover.py: nothing without a name; with one, saved before it gives up, and on from anywhere."""

import json

import pytest

IMAGE = "/srv/keep/r0-otter.img"
KEPT = ("--data", "victim=otter", "--data", "image=/srv/keep")
STEPS = [
    ("otter", "secondary"),
    ("otter", IMAGE),
    ("otter", "connect --discard-my-data"),
    ("weasel", "connect r0"),
    ("otter", "systemctl start san-verify.service"),
]

VERIFIED = ("otter", "rm -f /var/lib/san/verify && systemctl start san-verify.service")


@pytest.fixture
def parted(served):
    """Both have moved on; otter's Heartbeat is stopped, as it has to be, and left it Primary."""
    world = served.world
    world.part()
    otter = world.machines["otter"]
    otter.heartbeat = None
    otter.replicas["r0"].role = "Primary"
    world.save(served.directory)
    return served


def recover(bed, *arguments, **more):
    return bed.run(*arguments, deploy="recover.py", **more)


def refused(bed, sentence, *arguments):
    """In the plan as well as in the run, and nothing is changed."""
    before = bed.world.lasting()
    for how in ("--dry", "-y"):
        ran = recover(bed, how, *arguments)
        assert sentence in ran.refusal
        assert ran.commands == []
    assert bed.world.lasting() == before


def changing(bed, **of):
    """Change a node's attributes."""
    for name, values in of.items():
        bed.change(**{name: lambda node, to=values: [setattr(node, *each) for each in to.items()]})


@pytest.mark.parametrize("how", ["--dry", "-y"])
def test_without_a_name_both_sides_are_shown_and_nothing_changes(parted, how, tmp_path):
    before = parted.world.lasting()
    ran = recover(parted, how, "--data", f"report={tmp_path / 'report'}")
    assert ran.returncode == 0, ran.output
    assert ran.commands == []
    assert parted.world.lasting() == before
    (found,) = json.loads((tmp_path / "report").read_text())["resources"]
    assert found["relation"] == "split"
    assert found["luns"] == ["iqn.2009-02.com.example:test LUN 1 (storage/test)"]
    weasel, otter = found["sides"]
    assert (weasel["node"], weasel["changed_kib"], weasel["role"]) == ("weasel", 8, "Primary")
    assert (otter["node"], otter["changed_kib"], otter["heartbeat"]) == ("otter", 16, False)
    assert otter["parted"] < otter["changed_from"]
    assert otter["changed"]["luns"] == {"iqn.2009-02.com.example:test LUN 1 (storage/test)": 16}


def test_the_victim_is_saved_and_follows_and_the_other_goes_on(parted):
    ran = recover(parted, "-y", *KEPT)
    assert ran.returncode == 0, ran.output
    done = list(ran.commands)
    assert len(done) == len(STEPS), done
    for (host, command), (at, words) in zip(done, STEPS, strict=True):
        assert host == at
        assert words in command
    world = parted.world
    assert world.accidents == []
    assert world.serving() == "weasel"
    kept = world.machines["otter"].files[IMAGE]
    assert kept == ("2AAAAAAAAAAAAAA0", 0o600), "otter's data as it was"
    generations = {world.machines[name].replicas["r0"].generation for name in ("weasel", "otter")}
    assert generations == {"1AAAAAAAAAAAAAA0"}


def test_a_plan_says_what_would_be_done_and_does_nothing(parted):
    before = parted.world.lasting()
    ran = recover(parted, "--json", "--dry", *KEPT)
    assert ran.returncode == 0, ran.output
    assert [host for each in ran.plan for host in each["hosts_with_change"]] == [
        "@fake/otter",
        "@fake/otter",
        "@fake/otter",
        "@fake/weasel",
        "@fake/otter",
    ]
    assert parted.world.lasting() == before


def test_ended_anywhere_the_next_call_goes_on(parted):
    kept = parted.keep()
    whole = recover(parted, "-y", *KEPT, SAN_KEEP="1")
    assert whole.returncode == 0, whole.output
    wanted = parted.world.lasting()
    states = [
        (parted.directory / f"world.{number}").read_bytes()
        for number in range(1, len(whole.commands) + 1)
    ]
    ends = list(parted.run_each(states, "-y", *KEPT, deploy="recover.py"))
    assert len(ends) == len(STEPS)
    for ran, world in ends:
        assert ran.returncode == 0, ran.output
        assert world.accidents == []
        assert world.lasting() == wanted
    parted.restore(kept)


def test_a_second_call_finds_nothing_to_give_up_and_compares_again(parted):
    assert recover(parted, "-y", *KEPT).returncode == 0
    again = recover(parted, "-y", *KEPT)
    assert again.returncode == 0, again.output
    assert again.commands == [VERIFIED]


def test_a_comparison_that_runs_is_waited_for(served):
    served.change(otter=lambda node: setattr(node.replicas["r0"], "comparing", 5))
    ran = recover(served, "-y", *KEPT)
    assert ran.returncode == 0, ran.output
    assert ran.commands == []
    assert "0 % compared" in ran.output


def test_what_differs_after_the_copy_is_told(parted):
    parted.change(otter=lambda node: setattr(node.replicas["r0"], "differs", 8))
    ran = recover(parted, "-y", *KEPT)
    assert "8 KiB of r0 differ between the nodes" in ran.refusal


def test_without_an_image_only_for_a_reason(parted):
    refused(parted, "otter's data is to be saved before", "--data", "victim=otter")
    reason = ("--data", "victim=otter", "--data", "without_image=scratch data")
    ran = recover(parted, "-y", *reason)
    assert ran.returncode == 0, ran.output
    assert "no image is saved: scratch data" in ran.output
    assert len(ran.commands) == len(STEPS) - 1


def test_an_image_that_is_there_and_differs_stops_it(parted):
    parted.change(otter=lambda node: node.files.update({IMAGE: ("of another night", 0o600)}))
    ran = recover(parted, "-y", *KEPT)
    assert "isn't what the disk holds: move it away" in ran.refusal
    assert not [words for _, words in ran.commands if "discard" in words]


def test_another_name_is_refused(parted):
    sentence = "'badger' is no node of the cluster reference: name weasel or otter as the victim"
    refused(parted, sentence, "--data", "victim=badger", "--data", "image=/srv")


def test_a_victim_that_clients_use_is_refused(parted):
    session = ["        I_T nexus: 1", "            Initiator: iqn.1993-08.org.debian:badger"]
    targets = parted.world.machines["weasel"].targets
    changing(parted, otter={"nexuses": session, "targets": targets})
    refused(parted, "clients are logged in at otter (iqn.1993-08.org.debian:badger)", *KEPT)


def test_a_victim_whose_heartbeat_runs_is_refused(parted):
    heartbeat = parted.world.machines["weasel"].heartbeat
    changing(parted, otter={"heartbeat": heartbeat})
    refused(parted, "Heartbeat runs on otter, and may let it serve meanwhile", *KEPT)


def test_the_other_side_has_to_be_whole(parted):
    parted.change(weasel=lambda node: setattr(node.replicas["r0"], "generation", "0" * 15 + "4"))
    refused(parted, "there is nothing to discard", *KEPT)


def test_a_victim_that_has_all_of_the_others_data_is_refused(parted):
    parted.change(weasel=lambda node: setattr(node.replicas["r0"], "changed", 0))
    refused(parted, "weasel has changed nothing of r0, and otter 16 KiB", *KEPT)


def test_without_a_split_brain_there_is_nothing_to_discard(served):
    ran = recover(served, "-y", *KEPT)
    assert ran.returncode == 0, ran.output
    assert ran.commands == [VERIFIED]


def test_nodes_that_are_only_apart_are_refused(served):
    served.change(otter=lambda node: setattr(node.replicas["r0"], "parted", True))
    refused(served, "r0 isn't connected, and no split brain: its data on the nodes is same", *KEPT)


def test_without_the_peer_nothing_is_known(parted):
    parted.change(otter=lambda node: setattr(node, "reachable", False))
    ran = recover(parted, "-y", "--data", "allow_degraded=true", *KEPT)
    assert "what a side lacks only both can tell" in ran.output
    assert ran.commands == []


def test_a_run_after_it_finds_the_cluster_whole_but_for_heartbeat(parted):
    assert recover(parted, "-y", *KEPT).returncode == 0
    ran = parted.run("-y")
    assert ran.returncode == 0, ran.output
    assert ran.commands == [("otter", "systemctl start heartbeat.service")]
    assert parted.world.serving() == "weasel"
