"""upgrade.py: modules before the kernel, one node at a time, and on from where it was."""

import re

import attrs
import pytest
from simulation import KERNEL, NEWER, NEWEST, ORIGIN

from san.model import Directory, KernelModule

FIXTURE = KernelModule("fixture", "1.0", Directory("/usr/src/fixture-1.0"), files=("fixture.ko",))
STEPS = re.compile(
    r"linux-headers|linux-image|san-kmod (?:build|import|hold|unhold)|reboot|hb_standby"
)


@pytest.fixture
def site(served):
    """The reference cluster with a module, deployed."""
    served.declare(attrs.evolve(served.cluster, modules=(FIXTURE,)))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    return served


def upgrade(bed, *arguments, **more):
    return bed.run(*arguments, deploy="upgrade.py", **more)


def becomes(**attributes):
    """A change of a host: its attributes."""

    def change(node):
        for name, value in attributes.items():
            setattr(node, name, value)

    return change


def steps(ran):
    """What was done where, in order, without what the same program did just before."""
    return [
        (host, STEPS.search(command)[0]) for host, command in ran.commands if STEPS.search(command)
    ]


def in_order(ran):
    """The plan's steps with a change, and the nodes of each."""
    return [
        (each["name"], {host.removeprefix("@fake/") for host in each["hosts_with_change"]})
        for each in ran.plan
        if each["hosts_with_change"]
    ]


def test_modules_come_before_the_kernel_and_the_service_ends_where_it_began(site):
    ran = upgrade(site, "-y")

    assert ran.returncode == 0, ran.output
    done = steps(ran)
    assert sorted(done[:2]) == [("otter", "linux-headers"), ("weasel", "linux-headers")]
    assert done[2:] == [
        ("otter", "san-kmod build"),
        ("weasel", "san-kmod import"),
        ("otter", "linux-image"),
        ("otter", "reboot"),
        ("weasel", "hb_standby"),
        ("weasel", "linux-image"),
        ("weasel", "reboot"),
        ("otter", "hb_standby"),
    ]
    world = site.world
    assert world.accidents == []
    assert world.serving() == "weasel"
    assert {world.machines[name].booted for name in ("weasel", "otter")} == {NEWER}
    again = upgrade(site, "-y")
    assert again.returncode == 0, again.output
    assert steps(again) == []


def test_a_plan_shows_each_nodes_part_and_changes_nothing(site):
    before = site.world
    ran = upgrade(site, "--json", "--dry")

    assert ran.returncode == 0, ran.output
    assert site.world == before
    assert in_order(ran) == [
        ("Headers of the new kernel", {"weasel", "otter"}),
        ("Where the service returns to", {"weasel", "otter"}),
        ("The standby's kernel", {"otter"}),
        ("The standby boots it", {"otter"}),
        ("The service moves over", {"weasel"}),
        ("The other node's kernel", {"weasel"}),
        ("The other node boots it", {"weasel"}),
        ("The service moves back", {"weasel", "otter"}),
    ]


def test_a_plan_from_the_middle_shows_what_is_left(site):
    """The service has moved over, and the other node has nothing of the new kernel yet."""
    site.change(weasel=becomes(later={"hb_standby": {"broken": "linux-image"}}))
    assert upgrade(site, "-y").returncode == 1
    assert site.world.serving() == "otter"
    site.change(weasel=becomes(later={}, broken=None))
    ran = upgrade(site, "--json", "--dry")

    assert ran.returncode == 0, ran.output
    assert in_order(ran) == [
        ("The standby's kernel", {"weasel"}),
        ("The standby boots it", {"weasel"}),
        ("The service moves back", {"weasel", "otter"}),
    ]
    ended = upgrade(site, "-y")
    assert ended.returncode == 0, ended.output
    assert site.world.serving() == "weasel"


def test_a_kernel_that_does_not_come_up_on_the_standby_stays_off_the_serving_node(site):
    site.change(otter=becomes(later={"reboot )": {"heartbeat": None}}))
    ran = upgrade(site, "-y")

    assert "Heartbeat doesn't run here" in ran.refusal
    world = site.world
    assert world.machines["otter"].booted == NEWER
    assert world.machines["weasel"].kernels == [KERNEL]
    assert world.serving() == "weasel"
    assert world.accidents == []


def test_it_goes_on_where_both_nodes_have_the_kernel_and_neither_has_booted_it(site):
    """As an upgrade left them that installed both before the first reboot."""
    for name in ("weasel", "otter"):
        site.change(**{name: becomes(kernels=[KERNEL, NEWER], headers={KERNEL, NEWER})})
        world = site.world
        node = world.machines[name]
        node.modules["fixture", NEWER] = world.key(node, "fixture", NEWER)
        node.files[ORIGIN] = ("weasel\n", 0o644)
        world.save(site.directory)
    ran = upgrade(site, "-y")

    assert ran.returncode == 0, ran.output
    assert steps(ran) == [
        ("otter", "reboot"),
        ("weasel", "hb_standby"),
        ("weasel", "reboot"),
        ("otter", "hb_standby"),
    ]
    assert site.world.serving() == "weasel"


@pytest.mark.parametrize("origin", [{}, {"weasel": "weasel\n"}], ids=["none", "the other's"])
def test_a_standby_that_already_runs_the_kernel_gives_the_service_back(site, origin):
    """It has been upgraded by hand, or has lost where the service was."""
    assert upgrade(site, "-y").returncode == 0
    site.change(weasel=becomes(kernels=[KERNEL], booted=KERNEL))
    for name, said in origin.items():
        site.change(**{name: lambda node, said=said: node.files.update({ORIGIN: (said, 0o644)})})
    ran = upgrade(site, "-y")

    assert ran.returncode == 0, ran.output
    assert steps(ran) == [
        ("weasel", "hb_standby"),
        ("weasel", "linux-image"),
        ("weasel", "reboot"),
        ("otter", "hb_standby"),
    ]
    world = site.world
    assert world.serving() == "weasel"
    assert not any(ORIGIN in world.machines[name].files for name in ("weasel", "otter"))


def test_a_module_that_does_not_compile_leaves_both_nodes_as_they_were(site):
    site.change(otter=lambda node: node.uncompilable.add(("fixture", NEWER)))
    ran = upgrade(site, "-y")

    assert f"{NEWER} is not installed, and its package is held: " in ran.refusal
    world = site.world
    for name in ("weasel", "otter"):
        node = world.machines[name]
        assert node.kernels == [KERNEL]
        assert node.held
    assert world.serving() == "weasel"
    assert world.accidents == []


@pytest.mark.parametrize(
    ("goes_with", "left"), [("unhold", [KERNEL]), ("linux-image", [KERNEL, NEWER])]
)
def test_a_module_that_is_gone_again_keeps_the_node_from_the_kernel(site, goes_with, left):
    """Its file is damaged, or cleaned up, between the check of all and the node's turn."""
    site.change(otter=becomes(held=True, later={goes_with: {"modules": {}}}))
    ran = upgrade(site, "-y")

    assert f"fixture for {NEWER}: " in ran.refusal
    world = site.world
    assert (world.machines["otter"].kernels, world.machines["otter"].booted) == (left, KERNEL)
    assert world.serving() == "weasel"
    assert world.accidents == []


def test_a_cluster_without_modules_gets_the_kernel(served):
    ran = upgrade(served, "-y")

    assert ran.returncode == 0, ran.output
    assert not any("san-kmod" in step for _, step in steps(ran))
    world = served.world
    assert {world.machines[name].booted for name in ("weasel", "otter")} == {NEWER}
    assert world.serving() == "weasel"
    assert world.accidents == []


def test_a_held_kernel_is_let_go_when_its_modules_are_there(site):
    site.change(otter=lambda node: node.uncompilable.add(("fixture", NEWER)))
    upgrade(site, "-y")
    site.change(otter=lambda node: node.uncompilable.clear())
    ran = upgrade(site, "-y")

    assert ran.returncode == 0, ran.output
    assert not any(site.world.machines[name].held for name in ("weasel", "otter"))
    assert site.world.machines["weasel"].booted == NEWER


def test_lists_that_change_during_a_run_do_not_change_its_kernel(site):
    """apt-daily reads them anew at any time: modules were built for the one decided on."""
    gets = becomes(later={"san-kmod": {"candidate": NEWEST}})
    site.change(weasel=gets, otter=gets)
    ran = upgrade(site, "-y")

    assert ran.returncode == 0, ran.output
    for name in ("weasel", "otter"):
        node = site.world.machines[name]
        assert (node.booted, node.kernels) == (NEWER, [KERNEL, NEWER])
    again = upgrade(site, "-y")
    assert again.returncode == 0, again.output
    for name in ("weasel", "otter"):
        node = site.world.machines[name]
        assert node.booted == NEWEST
        assert ("fixture", NEWEST) in node.modules


def test_the_kernel_is_decided_after_both_nodes_lists_were_read(site):
    """The plan of the same run has seen the older ones."""
    gets = becomes(later={"apt-get update": {"candidate": NEWEST}})
    site.change(weasel=gets, otter=gets)
    ran = upgrade(site)

    assert ran.returncode == 0, ran.output
    assert {site.world.machines[name].booted for name in ("weasel", "otter")} == {NEWEST}


@pytest.mark.parametrize(("older", "said"), [(KERNEL, f"{KERNEL} on otter"), ("", "none on otter")])
@pytest.mark.parametrize("how", ["-y", "--dry"])
def test_nodes_whose_lists_differ_are_refused(site, how, older, said):
    site.change(otter=becomes(candidate=older))
    ran = upgrade(site, how)

    assert f"apt's newest kernel is {said}, {NEWER} on weasel: " in ran.refusal
    assert "--to RELEASE" in ran.refusal
    assert steps(ran) == []


def test_lists_without_a_kernel_are_refused(site):
    site.change(**dict.fromkeys(("weasel", "otter"), becomes(candidate="")))
    ran = upgrade(site, "-y")

    assert "apt knows no kernel of the running one's kind here; name one: --to" in ran.refusal
    assert steps(ran) == []


def test_a_kernel_that_is_named_needs_no_lists(site):
    site.change(otter=becomes(candidate=KERNEL))
    ran = upgrade(site, "-y", "--data", f"to={NEWER}")

    assert ran.returncode == 0, ran.output
    assert not any("apt-get update" in command for _, command in ran.commands)
    assert {site.world.machines[name].booted for name in ("weasel", "otter")} == {NEWER}


def test_what_is_no_release_never_reaches_a_shell(site):
    ran = upgrade(site, "-y", "--data", "to=6.1; reboot")

    assert "'6.1; reboot' is no kernel's release" in ran.refusal
    assert ran.commands == []


def test_an_upgrade_of_another_inventory_than_the_deployed_one_is_refused(site):
    """The nodes would build what they were told before."""
    patched = attrs.evolve(FIXTURE, version="1.1")
    site.declare(attrs.evolve(site.cluster, modules=(patched,)))
    ran = upgrade(site, "-y")

    assert "its modules aren't the inventory's yet: run deploy.py first" in ran.refusal
    assert steps(ran) == []


def test_an_upgrade_without_the_peer_is_refused(site):
    """The service would be moved to a node that isn't there."""
    site.change(otter=lambda node: setattr(node, "reachable", False))
    ran = upgrade(site, "-y", "--data", "allow_degraded=true")

    assert "an upgrade takes both nodes" in ran.output
    assert steps(ran) == []
    assert site.world.serving() == "weasel"
