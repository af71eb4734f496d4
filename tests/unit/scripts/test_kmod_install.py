"""A finished build takes the place of the one before, whole or not at all."""

import shutil

import pytest
from kmod_node import MAKEFILE, NEW, OLD

from san.model import Tool

CHANGED = MAKEFILE.replace("srcversion=1234", "srcversion=2")


def test_where_depmod_fails_the_module_before_stays(node):
    node.call("build")
    node.write("usr/src/fixture-1.0/Makefile", CHANGED)
    node.stub(depmod="exit 1")

    assert f"which goes on with what it has: depmod fails for {OLD}" in node.refuses()

    assert node.stand(OLD) == "stale"
    assert node.call("gate").returncode == 0


def test_where_the_disk_is_full_none_of_the_files_is_new(node):
    """cp as it ends there: the second of two files finds no room."""
    second = "\tcp fixture.ko second.ko\n"
    node.write("usr/src/fixture-1.0/Makefile", MAKEFILE + second)
    node.describe(files=("fixture.ko", "second.ko"))
    node.call("build")
    before = node.ko(OLD).with_name("second.ko").read_bytes()
    node.write("usr/src/fixture-1.0/Makefile", CHANGED + second)
    full = "echo \"cp: error writing '$2': No space left on device\" >&2; exit 1"
    node.stub(cp=f'case $2 in */.second.ko.*) {full} ;; esac; exec /bin/cp "$@"')

    said = node.refuses()

    assert (
        f"/lib/modules/{OLD}/updates/san/second.ko can't be written: No space left on device"
        in said
    )
    assert node.ko(OLD).with_name("second.ko").read_bytes() == before
    assert node.call("gate").returncode == 0


def test_where_nothing_can_be_written_at_all_the_reason_names_the_disk(node):
    """mktemp as it ends there, once the build is finished."""
    node.call("build")
    node.ko(OLD).unlink()
    node.stub(mktemp="exit 1")

    said = node.refuses()

    assert f"it can't be installed below /lib/modules/{OLD}/updates/san: is a disk full?" in said


def test_where_the_initrd_is_not_made_the_module_before_stays_and_the_next_build_makes_it(node):
    node.write(f"boot/initrd.img-{OLD}", "")
    node.describe(initrd=True)
    node.call("build", "--kernel", OLD)
    made = (node.bin / "update-initramfs").read_text()
    node.stub(**{"update-initramfs": "exit 1"})
    node.write("usr/src/fixture-1.0/Makefile", CHANGED)

    assert f"update-initramfs fails for {OLD}" in node.refuses()
    assert node.stand(OLD) == "stale"

    (node.bin / "update-initramfs").write_text(made)
    (node.root / "initramfs.log").unlink()
    assert node.call("build", "--kernel", OLD).returncode == 0
    assert (node.root / "initramfs.log").read_text() == f"-u -k {OLD}\n"
    assert "srcversion=2" in node.ko(OLD).read_text()


def test_where_the_initrd_is_made_without_the_module_that_is_told(node):
    """With update_initramfs=no, update-initramfs(8) does nothing and says it went well."""
    node.write(f"boot/initrd.img-{OLD}", "")
    node.describe(initrd=True)
    node.stub(lsinitramfs="echo usr/lib/modules/x/kernel/ext4.ko")

    assert (
        "update-initramfs leaves fixture.ko out; update_initramfs=yes in"
        in node.call("build", "--kernel", OLD).stderr
    )


def test_a_finished_build_needs_no_headers(node):
    node.call("build")
    shutil.rmtree(node.root / f"lib/modules/{OLD}/build")
    node.ko(OLD).unlink()

    assert node.call("build", "--kernel", OLD).returncode == 0

    assert node.stand(OLD) == "ready"
    assert node.compilations == 2


def test_tools_of_the_source_land_where_the_inventory_says(node):
    node.describe(tools=(Tool("fixtured", "/usr/local/sbin/fixtured"),))

    node.call("build")

    assert (node.root / "usr/local/sbin/fixtured").read_text() == "tool"


@pytest.mark.parametrize("damage", [lambda tool: tool.unlink(), lambda tool: tool.write_text("?")])
def test_a_node_without_its_tools_does_not_serve_until_they_are_installed_again(node, damage):
    node.describe(tools=(Tool("fixtured", "/usr/local/sbin/fixtured"),))
    node.call("build")
    tool = node.root / "usr/local/sbin/fixtured"
    damage(tool)

    assert "/usr/local/sbin/fixtured is gone, or not what was built" in node.call("gate").stderr
    assert node.call("build").returncode == 0

    assert tool.read_text() == "tool"
    assert node.call("gate").returncode == 0
    assert node.compilations == 2


def test_tools_belong_to_no_kernel(node):
    """Each build makes them anew, seldom byte by byte the same; a kernel that leaves takes none."""
    makefile = MAKEFILE.replace("printf 'tool'", "printf $(RELEASE)")
    node.write("usr/src/fixture-1.0/Makefile", makefile)
    node.describe(tools=(Tool("fixtured", "/usr/local/sbin/fixtured"),))

    node.call("build")

    assert (node.stand(OLD), node.stand(NEW)) == ("ready", "ready")
    (node.root / f"boot/vmlinuz-{NEW}").unlink()
    shutil.rmtree(node.root / f"lib/modules/{NEW}/build")
    node.call("hook", "removed", NEW)
    assert node.stand(OLD) == "ready"


def test_a_tool_that_lands_elsewhere_leaves_nothing_where_it_was(node):
    node.describe(tools=(Tool("fixtured", "/usr/local/sbin/fixtured"),))
    node.call("build")
    node.describe(tools=(Tool("fixtured", "/usr/sbin/fixtured"),))

    node.call("build")

    assert not (node.root / "usr/local/sbin/fixtured").exists()
    assert (node.root / "usr/sbin/fixtured").exists()
