"""Kernel modules: which kernel both nodes go to, and what keeps a node on it from serving."""

import pytest

from san.decide.kmodules import common, lacking
from san.decide.refusal import Refusal
from san.observe.kmodule import Build, KernelModulesState

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


def node(**stands):
    """A node with two modules, of which `stands` are those for RELEASE."""
    builds = {
        (module, RELEASE): Build(stand, key="k", failed=None, reason="why")
        for module, stand in stands.items()
    }
    return KernelModulesState(
        installed=True, versions={"fixture": "1.0", "other": "2.0"}, builds=builds
    )


@pytest.mark.parametrize("stand", ["ready", "stale"])
def test_a_node_lacks_nothing_for_a_kernel_with_each_of_its_modules(stand):
    assert lacking(node(fixture=stand, other="ready"), RELEASE) == ()


@pytest.mark.parametrize("stand", ["absent", "unusable", "unsupported"])
def test_what_would_not_load_is_lacking_with_its_reason(stand):
    assert lacking(node(fixture=stand, other="ready"), RELEASE) == (f"fixture for {RELEASE}: why",)


def test_of_a_kernel_that_the_node_knows_nothing_of_each_module_is_lacking():
    assert lacking(node(fixture="ready", other="ready"), OLDER) == tuple(
        f"{module} for {OLDER}: nothing is known of it there; apt-get install linux-headers-{OLDER}"
        for module in ("fixture", "other")
    )


def test_a_node_without_modules_lacks_none_for_any_kernel():
    assert lacking(KernelModulesState(installed=True), RELEASE) == ()
