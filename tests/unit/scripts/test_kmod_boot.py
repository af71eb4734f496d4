"""The kernel that the next boot takes, as san-kmod reads it from GRUB's menu (grub.info)."""

from pathlib import Path

import pytest
from kmod_node import NEW, OLD

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
