"""Kernels: an answer of a lab node (REAL), GRUB's menu as grub-mkconfig writes it (from memory)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.observe.kernel import KernelState, order, parse, shell
from san.observe.sections import UnreadableError

REAL = """\
running 6.1.0-56-cloud-amd64
hostname weasel
VERSION_ID 12
VERSION_CODENAME bookworm
ID debian
image 6.1.0-56-cloud-amd64
modules 6.1.0-56-cloud-amd64
loaded dm_mod \
"""

SECOND = """
image 6.1.0-9-cloud-amd64
modules 6.1.0-9-cloud-amd64
headers 6.1.0-9-cloud-amd64
image 6.12.30+bpo-cloud-amd64
modules 6.12.30+bpo-cloud-amd64
loaded drbd 8.4.11
"""

GRUB = """
   set default="${next_entry}"
   set default="0"
	linux	/boot/vmlinuz-6.1.0-9-cloud-amd64 root=UUID=5 ro quiet
		linux	/boot/vmlinuz-6.12.30+bpo-cloud-amd64 root=UUID=5 ro quiet
"""


def answer(body, status=0):
    return ["[san:begin kernel]", *body.splitlines(), "", f"[san:end kernel {status}]"]


def test_a_node_with_one_kernel():
    release = "6.1.0-56-cloud-amd64"
    assert parse(answer(REAL)) == KernelState(
        hostname="weasel",
        running=release,
        installed=(release,),
        default=release,
        headers=(),
        modules={"dm_mod": None},
        distribution="debian",
        codename="bookworm",
        version="12",
    )


def test_the_newest_is_booted_by_version_and_not_by_spelling():
    state = parse(answer(REAL + SECOND))
    assert state.installed == (
        "6.1.0-9-cloud-amd64",
        "6.1.0-56-cloud-amd64",
        "6.12.30+bpo-cloud-amd64",
    )
    assert state.default == "6.12.30+bpo-cloud-amd64"
    assert state.headers == ("6.1.0-9-cloud-amd64",)
    assert state.modules == {"dm_mod": None, "drbd": "8.4.11"}


def test_grub_decides_where_its_first_entry_is_the_default():
    assert parse(answer(REAL + SECOND + GRUB)).default == "6.1.0-9-cloud-amd64"


@pytest.mark.parametrize(
    "menu",
    [
        GRUB.replace('default="0"', 'default="${saved_entry}"'),
        GRUB.replace("6.1.0-9-", "5.10.0-1-"),
    ],
)
def test_else_the_newest(menu):
    """A saved entry can't be read from the menu; an entry without its image can't boot."""
    assert parse(answer(REAL + SECOND + menu)).default == "6.12.30+bpo-cloud-amd64"


def test_without_grubs_word_the_link_of_debian_counts():
    """Other boot loaders take /vmlinuz; where it leads nowhere, the newest is left."""
    older = "link 6.1.0-9-cloud-amd64"
    assert parse(answer(f"{REAL}{SECOND}{older}")).default == "6.1.0-9-cloud-amd64"
    saved = GRUB.replace('default="0"', 'default="${saved_entry}"')
    assert parse(answer(f"{REAL}{SECOND}{saved}{older}")).default == "6.1.0-9-cloud-amd64"
    gone = "link 5.10.0-1-cloud-amd64"
    assert parse(answer(f"{REAL}{SECOND}{gone}")).default == "6.12.30+bpo-cloud-amd64"


def test_an_image_without_modules_is_not_installed():
    state = parse(answer(REAL + "\nimage 6.2.0"))
    assert "6.2.0" not in state.installed


def test_sid_has_no_version():
    state = parse(answer("running 6.16\nhostname a\nID debian"))
    assert (state.version, state.codename, state.installed, state.default) == (None, None, (), None)


@pytest.mark.parametrize("lines", [[], answer(REAL, status=124), answer("hostname a")])
def test_unreadable_is_not_empty(lines):
    with pytest.raises(UnreadableError):
        parse(lines)


def test_order_is_debians():
    """As `linux-version sort` has it (linux-base 4.9)."""
    releases = [
        "5.10.0-9-amd64",
        "5.10.0-10-amd64",
        "6.1.0-rc3-amd64",
        "6.1.0-9-amd64",
        "6.1.0-37-amd64",
        "6.12.30+deb12-amd64",
        "6.12.30+deb13-amd64",
        "6.12.31",
    ]
    shuffled = releases[::-1]
    assert sorted(shuffled, key=order) == releases


releases = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){1,2}(-rc[0-9])?([+-][a-z0-9]{1,6}){0,3}")


@given(st.lists(releases, min_size=2))
def test_every_release_has_its_place(found):
    """Any two can be compared, in whatever order they are met."""
    assert sorted(map(order, found)) == sorted(map(order, reversed(found)))


def test_modules_are_data():
    assert "'$(reboot)'" in shell(("$(reboot)",)).replace("'\"'\"'", "'")
