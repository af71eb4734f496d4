"""Kernel modules: compiled on one node, taken by the other; and what stops a run."""

import attrs
import pytest
from simulation import KERNEL, NEWER

from san.model import Directory, KernelModule

OLDER = "6.1.0-9-cloud-amd64"
FIXTURE = KernelModule("fixture", "1.0", Directory("/usr/src/fixture-1.0"), files=("fixture.ko",))


@pytest.fixture
def with_module(served):
    served.declare(attrs.evolve(served.cluster, modules=(FIXTURE,)))
    return served


def arrives(release, *, headers):
    def change(node):
        node.kernels.append(release)
        if headers:
            node.headers.add(release)

    return change


def compiled(bed):
    return {name: bed.world.machines[name].compiled for name in ("weasel", "otter")}


def test_bare_nodes_compile_once_between_them(bare):
    bare.declare(attrs.evolve(bare.cluster, modules=(FIXTURE,)))
    planned = bare.run("--json", "--dry").planned
    ran = bare.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert planned == ran.changed
    assert compiled(bare) == {"weasel": [], "otter": [("fixture", KERNEL)]}
    weasel, otter = (bare.world.machines[name] for name in ("weasel", "otter"))
    assert weasel.modules == otter.modules
    assert bare.run("--json", "-y").changed == set()


def test_the_standby_compiles_and_the_serving_node_takes_its_build(with_module):
    world = with_module.world
    world.fail_over()
    world.save(with_module.directory)
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    assert compiled(with_module) == {"weasel": [("fixture", KERNEL)], "otter": []}
    assert with_module.world.serving() == "otter"


def test_a_check_when_nothing_changed_is_one_remote_command(with_module):
    with_module.run("-y")
    ran = with_module.run("--json", "-y")
    assert ran.changed == set()
    for node in ("weasel", "otter"):
        asked = [each for each in ran.log if each["host"] == f"{node}"]
        assert sum("[san:begin kmod]" in each["command"] for each in asked) == 1


def test_a_second_kernel_gets_its_module_before_it_can_boot(with_module):
    with_module.run("-y")
    with_module.change(**dict.fromkeys(("weasel", "otter"), arrives(NEWER, headers=True)))
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    assert compiled(with_module) == {
        "weasel": [],
        "otter": [("fixture", KERNEL), ("fixture", NEWER)],
    }


def test_missing_headers_of_the_next_kernel_are_installed(with_module):
    with_module.run("-y")
    with_module.change(otter=arrives(NEWER, headers=False))
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    assert any(f"linux-headers-{NEWER}" in command for _, command in ran.commands)
    assert ("fixture", NEWER) in with_module.world.machines["otter"].modules


def test_a_module_that_does_not_compile_for_the_next_kernel_stops_the_run(with_module):
    with_module.run("-y")

    def breaks(node):
        node.kernels.append(NEWER)
        node.headers.add(NEWER)
        node.uncompilable.add(("fixture", NEWER))

    with_module.change(otter=breaks)
    ran = with_module.run("-y")
    assert f"fixture 1.0 is NOT there for {NEWER}: it does not compile" in ran.refusal
    assert with_module.world.serving() == "weasel"
    assert with_module.world.accidents == []


def test_a_module_that_the_inventory_no_longer_names_is_no_longer_built(with_module):
    with_module.run("-y")
    other = attrs.evolve(FIXTURE, name="other", files=("other.ko",))
    with_module.declare(attrs.evolve(with_module.cluster, modules=(other,)))
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    for name in ("weasel", "otter"):
        node = with_module.world.machines[name]
        assert "/etc/san/kmod.d/fixture.conf" not in node.files
        assert {module for module, _ in node.modules} == {"other"}
        assert "/etc/san/kmod.d/other.conf" in node.files


def test_what_fails_for_a_kernel_that_neither_runs_nor_boots_next_is_tried_once(with_module):
    """Nothing has changed since: the third run has nothing to do."""
    with_module.run("-y")

    def older(node):
        node.kernels.insert(0, OLDER)
        node.headers.add(OLDER)
        node.uncompilable.add(("fixture", OLDER))

    with_module.change(weasel=older, otter=older)
    assert with_module.run("--json", "-y").returncode == 0
    again = with_module.run("--json", "-y")
    assert again.returncode == 0, again.output
    assert again.changed == set()
