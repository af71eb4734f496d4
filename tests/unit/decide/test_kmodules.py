"""Kernel modules: which kernel both nodes go to, and what keeps a node on it from serving."""

import attrs
import pytest

from san.decide.kmodules import common, headers, image, lacking
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


# --- Packages, by their maker's names -------------------------------------------------------------

PVE = "6.8.12-4-pve"


def test_headers_that_are_there_are_not_asked_for():
    found = KernelModulesState(installed=True, headers=frozenset({OLDER}))
    assert headers(found, OLDER, RELEASE, RELEASE) == [f"linux-headers-{RELEASE}"]


def test_each_kernel_has_its_own_makers_package_of_headers():
    found = KernelModulesState(
        installed=True, headers_packages={PVE: f"proxmox-headers-{PVE}", OLDER: ""}
    )
    assert headers(found, PVE) == [f"proxmox-headers-{PVE}"]
    with pytest.raises(Refusal, match="the kernel came without a package, so apt knows neither"):
        headers(found, OLDER)


def test_a_kernel_that_is_to_come_has_the_running_ones_maker():
    found = KernelModulesState(
        installed=True,
        image_package="proxmox-kernel-*-signed",
        headers_package="proxmox-headers-*",
        headers_packages={PVE: f"proxmox-headers-{PVE}"},
    )
    assert image(found, "6.8.12-8-pve") == "proxmox-kernel-6.8.12-8-pve-signed"
    assert headers(found, "6.8.12-8-pve") == ["proxmox-headers-6.8.12-8-pve"]


def test_a_running_kernel_without_a_package_names_none():
    found = KernelModulesState(installed=True, image_package="", headers_package="")
    for names in (lambda: image(found, RELEASE), lambda: headers(found, RELEASE)):
        with pytest.raises(Refusal, match="install them as that kernel was"):
            names()
    assert "apt-get install" not in str(lacking(attrs.evolve(found, versions={"a": "1"}), RELEASE))
