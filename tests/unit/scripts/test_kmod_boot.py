"""The kernel that the next boot takes, as san-kmod reads it from GRUB's menu (grub.info); /boot."""

import shutil
from pathlib import Path

import pytest
from kmod_node import NEW, OLD

from san.observe.sections import UnreadableError

MENU = (Path(__file__).parent / "data/grub.cfg").read_text(encoding="utf-8")
"""As update-grub of Debian 12 writes it, but for what each entry loads first."""


def menu(default):
    return MENU.replace("DEFAULT", default).replace("OLD", OLD).replace("NEW", NEW)


@pytest.mark.parametrize(
    ("default", "takes"),
    [
        ("0", NEW),
        ("1>2", OLD),
        (f"gnulinux-advanced-1234>gnulinux-{OLD}-advanced-1234", OLD),
        (f"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux {OLD}", OLD),
        ("gnulinux-simple-1234", NEW),
        ("2", NEW),  # no kernel of Debian's
        ("no such entry", NEW),  # GRUB takes the first
        ("${saved_entry}", NEW),  # nothing is saved
    ],
)
def test_the_default_of_the_menu(node, default, takes):
    node.write("boot/grub/grub.cfg", menu(default))
    (node.root / "vmlinuz").symlink_to(f"boot/vmlinuz-{OLD}")

    assert node.state.next == takes


def test_a_saved_default_and_a_choice_for_one_boot_come_from_grubs_environment(node):
    node.write("boot/grub/grub.cfg", menu("${saved_entry}"))
    node.write("boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=1>2\n########")
    assert node.state.next == OLD

    node.write("boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=1>2\nnext_entry=0\n####")
    assert node.state.next == NEW


@pytest.mark.parametrize(
    ("link", "takes"), [(None, NEW), (f"boot/vmlinuz-{OLD}", OLD), ("boot/vmlinuz-gone", NEW)]
)
def test_without_grub_it_is_what_debians_link_says_or_the_newest(node, link, takes):
    if link:
        (node.root / "vmlinuz").symlink_to(link)

    assert node.state.next == takes


# --- /boot is a file system of its own, and isn't mounted ---------------------------------------

UNKNOWN = "there is no kernel in /boot, so nobody can tell what boots next: is it mounted?"


@pytest.fixture
def unmounted(node):
    """Both kernels have their module; what is in /boot can't be seen."""
    node.call("build")
    shutil.move(node.root / "boot", node.root / "unmounted")
    (node.root / "boot").mkdir()
    return node


@pytest.mark.parametrize("headers", [True, False])
def test_no_kernels_modules_are_pruned(unmounted, headers):
    if not headers:
        for release in (OLD, NEW):
            shutil.rmtree(unmounted.root / f"lib/modules/{release}/build")

    done = unmounted.call("build", "--kernel", OLD)

    assert done.returncode == 0, done.stderr
    assert unmounted.ko(OLD).exists()
    assert unmounted.ko(NEW).exists()
    assert unmounted.call("gate").returncode == 0


def test_the_running_kernels_modules_stay_whatever_is_gone(unmounted):
    shutil.rmtree(unmounted.root / f"lib/modules/{OLD}/build")
    (unmounted.root / f"lib/modules/{OLD}/modules.order").unlink()

    unmounted.call("build", "--kernel", NEW)

    assert unmounted.ko(OLD).exists()


def test_a_kernel_that_is_gone_takes_its_modules_with_it(unmounted):
    shutil.rmtree(unmounted.root / f"lib/modules/{NEW}/build")
    (unmounted.root / f"lib/modules/{NEW}/modules.order").unlink()

    unmounted.call("build", "--kernel", OLD)

    assert not unmounted.ko(NEW).exists()


@pytest.mark.parametrize("words", [("build",), ("check",), ("check", "--next")])
def test_it_is_said_that_the_next_boot_is_unknown(unmounted, words):
    done = unmounted.call(*words)

    assert (done.returncode, UNKNOWN in done.stderr) == (1, True)


def test_what_runs_can_be_told_all_the_same(unmounted):
    assert unmounted.call("check", "--running").returncode == 0


def test_a_login_is_told(unmounted):
    assert unmounted.call("motd").stdout == f"DO NOT REBOOT: {UNKNOWN}\n"


def test_a_run_reads_no_next_boot_out_of_it(unmounted):
    with pytest.raises(UnreadableError, match="mount /boot"):
        assert unmounted.state
