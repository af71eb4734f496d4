"""Kernels: an answer of a lab node (REAL)."""

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


def answer(body, status=0):
    return ["[san:begin kernel]", *body.splitlines(), "", f"[san:end kernel {status}]"]


def test_a_node_with_one_kernel():
    release = "6.1.0-56-cloud-amd64"
    assert parse(answer(REAL)) == KernelState(
        hostname="weasel",
        running=release,
        installed=(release,),
        headers=(),
        modules={"dm_mod": None},
        distribution="debian",
        codename="bookworm",
        version="12",
    )


def test_kernels_are_sorted_by_version_and_not_by_spelling():
    state = parse(answer(REAL + SECOND))
    assert state.installed == (
        "6.1.0-9-cloud-amd64",
        "6.1.0-56-cloud-amd64",
        "6.12.30+bpo-cloud-amd64",
    )
    assert state.headers == ("6.1.0-9-cloud-amd64",)
    assert state.modules == {"dm_mod": None, "drbd": "8.4.11"}


def test_an_image_without_modules_is_not_installed():
    state = parse(answer(REAL + "\nimage 6.2.0"))
    assert "6.2.0" not in state.installed


def test_sid_has_no_version():
    state = parse(answer("running 6.16\nhostname a\nID debian"))
    assert (state.version, state.codename, state.installed) == (None, None, ())


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
