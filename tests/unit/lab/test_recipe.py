"""An image's name follows every one of its inputs; its sources follow the machine's apt."""

import shutil
from pathlib import Path

import pytest
from attrs import evolve

from san.lab.errors import LabError
from san.lab.recipe import BASE, SCRIPT, TREE, Recipe
from san.lab.sources import sources_list

MIRROR = "http://mirror.test/debian/"
SECURITY = "http://mirror.test/debian-security/"
RECIPE = Recipe("bookworm", (f"deb {MIRROR} bookworm main",))


def test_equal_inputs_make_equal_names():
    """Nothing but the inputs counts, so that a clean clone finds the cache."""
    assert Recipe("bookworm", (f"deb {MIRROR} bookworm main",)).hash == RECIPE.hash


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "trixie"},
        {"sources": ("deb http://other.test/debian/ bookworm main",)},
        {"base": (*RECIPE.base, "vim")},
        {"cached": RECIPE.cached[1:]},
        {"module_build": RECIPE.module_build[1:]},
        {"pacemaker": RECIPE.pacemaker[1:]},
        {"size": "8G"},
    ],
)
def test_each_input_changes_the_name(change: dict[str, object]):
    """An image is never taken for another."""
    assert evolve(RECIPE, **change).hash != RECIPE.hash


def test_files_of_the_image_are_inputs(tmp_path: Path):
    """Contents, names and modes of the tree, and the script itself."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    script = tmp_path / SCRIPT.name
    shutil.copy(SCRIPT, script)
    recipe = evolve(RECIPE, tree=tree, script=script)
    hashes = {recipe.hash}
    assert hashes == {RECIPE.hash}

    (tree / "etc/fstab").write_text("")
    hashes.add(recipe.hash)
    (tree / "etc/fstab").chmod(0o600)
    hashes.add(recipe.hash)
    (tree / "etc/new").touch()
    hashes.add(recipe.hash)
    script.write_text("exit 1\n")
    hashes.add(recipe.hash)
    assert len(hashes) == 5


def test_the_base_has_the_older_kernel_and_the_cache_the_newer():
    """The release's own kernel is installed, whatever its security pocket has."""
    assert RECIPE.installed == (*BASE, "linux-image-cloud-amd64/bookworm")
    both = "linux-image-cloud-amd64 linux-headers-cloud-amd64"
    assert RECIPE.downloads[2:] == (both, f"--target-release=bookworm-backports {both}")
    assert evolve(RECIPE, suite="trixie").downloads[2:] == (both,)


def test_sources_are_those_of_the_machine():
    """Main archive, security and updates, from wherever this machine's apt takes them.

    Backports come from the main archive's mirror, whether the machine has them or not.
    """
    targets = [
        f"{SECURITY} bookworm-security Debian main",
        f"{MIRROR} bookworm Debian main",
        f"{MIRROR} bookworm Debian contrib",
        f"{MIRROR} bookworm-updates Debian main",
        "http://other.test/debian bookworm-backports Debian main",
        "http://other.test/ stable Example main",
    ]
    assert sources_list("bookworm", targets) == [
        f"deb {MIRROR} bookworm main",
        f"deb {MIRROR} bookworm-backports main",
        f"deb {SECURITY} bookworm-security main",
        f"deb {MIRROR} bookworm-updates main",
    ]


def test_another_suite_comes_from_the_same_mirror():
    """A bookworm machine builds trixie, a machine on `stable` either of them."""
    targets = [f"{MIRROR} stable Debian main", f"{SECURITY} stable-security Debian main"]
    assert sources_list("trixie", targets) == [
        f"deb {MIRROR} trixie main",
        f"deb {SECURITY} trixie-security main",
    ]


def test_machine_without_a_debian_archive_is_told_so():
    """Another distribution's mirror builds no Debian."""
    with pytest.raises(LabError, match="no Debian main archive"):
        sources_list("bookworm", ["http://archive.test/ubuntu/ noble Ubuntu main"])
