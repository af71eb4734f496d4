"""Kernel modules: compiled on one node, taken by the other; and what stops a run."""

import attrs
import pytest
from simulation import KERNEL, KMOD, NEWER, OLDER_KMOD

from san.model import Directory, KernelModule

OLDER = "6.1.0-9-cloud-amd64"
FIXTURE = KernelModule("fixture", "1.0", Directory("/usr/src/fixture-1.0"), files=("fixture.ko",))
LOADED = attrs.evolve(FIXTURE, load=("fixture",), options=("options fixture x=1",))


@pytest.fixture
def with_module(served):
    served.declare(with_modules(served, FIXTURE))
    return served


def with_modules(bed, *modules):
    return attrs.evolve(bed.cluster, modules=modules)


def arrives(release, *, headers):
    def change(node):
        node.kernels.append(release)
        if headers:
            node.headers.add(release)

    return change


def compiled(bed):
    return {name: bed.world.machines[name].compiled for name in ("weasel", "otter")}


def test_bare_nodes_compile_once_between_them(bare):
    bare.declare(with_modules(bare, FIXTURE))
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
    with_module.declare(with_modules(with_module, other))
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    for name in ("weasel", "otter"):
        node = with_module.world.machines[name]
        assert "/etc/san/kmod.d/fixture.conf" not in node.files
        assert {module for module, _ in node.modules} == {"other"}
        assert "/etc/san/kmod.d/other.conf" in node.files


def test_the_last_module_takes_all_that_was_there_for_modules_with_it(with_module):
    """What loads them at boot, too, and what keeps a node without them from serving."""
    with_module.declare(with_modules(with_module, LOADED))
    with_module.run("-y")
    with_module.declare(with_modules(with_module))
    ran = with_module.run("-y")
    assert ran.returncode == 0, ran.output
    for name in ("weasel", "otter"):
        node = with_module.world.machines[name]
        assert node.modules == {}
        assert [path for path in node.files if "kmod" in path or "fixture" in path] == [KMOD]
    assert with_module.run("--json", "-y").changed == set()


def test_settings_that_a_module_no_longer_has_leave_the_nodes(with_module):
    with_module.declare(with_modules(with_module, LOADED))
    with_module.run("-y")
    paths = {"/etc/modules-load.d/san-kmod.conf", "/etc/modprobe.d/san-fixture.conf"}
    assert paths <= with_module.world.machines["otter"].files.keys()
    with_module.declare(with_modules(with_module, FIXTURE))
    assert with_module.run("-y").returncode == 0
    assert not paths & with_module.world.machines["otter"].files.keys()


def test_an_older_program_on_the_nodes_is_replaced_before_it_is_asked(with_module):
    with_module.run("-y")

    def older(node):
        node.files[KMOD] = (OLDER_KMOD, 0o755)

    with_module.change(weasel=older, otter=older)
    planned = with_module.run("--json", "--dry").planned
    ran = with_module.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert planned == ran.changed
    assert compiled(with_module)["otter"] == [("fixture", KERNEL)]
    assert with_module.run("--json", "-y").changed == set()


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
