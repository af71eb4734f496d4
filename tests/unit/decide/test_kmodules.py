"""Kernel modules: which kernel both nodes go to, and what keeps a node on it from serving."""

import pytest

from san.decide.kmodules import common
from san.decide.refusal import Refusal

RELEASE = "6.1.0-56-cloud-amd64"
OLDER = "6.1.0-47-cloud-amd64"


def test_both_nodes_go_to_what_apt_has_on_both():
    assert common({"weasel": RELEASE, "otter": RELEASE}) == RELEASE


@pytest.mark.parametrize(("older", "said"), [(OLDER, OLDER), ("", "none")])
def test_lists_that_differ_are_told_in_the_same_words_on_each_node(older, said):
    words = f"apt's newest kernel is {said} on otter, {RELEASE} on weasel: "
    for lists in (
        {"weasel": RELEASE, "otter": older},
        {"otter": older, "weasel": RELEASE},
    ):
        with pytest.raises(Refusal, match=words):
            common(lists)


@pytest.mark.parametrize("said", ["", "6.1; reboot"])
def test_what_is_no_release_is_refused_though_both_say_so(said):
    with pytest.raises(Refusal):
        common({"weasel": said, "otter": said})
