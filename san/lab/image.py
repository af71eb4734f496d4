"""Images of the machines: built by mmdebstrap, cached under the hash of their recipe."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from attrs import frozen

from san.lab import layout, sources
from san.lab.errors import LabError
from san.lab.progress import Report
from san.lab.recipe import Recipe

_FILES = ("disk.qcow2", "vmlinuz")


@frozen
class Image:
    """A disk that all machines share as their backing file, and its kernel."""

    directory: Path

    @property
    def disk(self) -> Path:
        """The system disk."""
        return self.directory / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        """The kernel on the disk, once more: what KVM is tried with."""
        return self.directory / "vmlinuz"

    @property
    def complete(self) -> bool:
        """Whether all files are there."""
        return all((self.directory / name).exists() for name in _FILES)


def provide(suite: str, report: Report) -> Image:
    """Return the image of `suite`, built now unless the cache has it."""
    recipe = Recipe(suite, tuple(sources.sources_list(suite, sources.index_targets())))
    image = Image(layout.cache_directory() / f"{suite}-{recipe.hash}")
    if not image.complete:
        with report.step(f"image of {suite} (mmdebstrap)"):
            _build(recipe, image)
    return image


def _build(recipe: Recipe, image: Image) -> None:
    cache = image.directory.parent
    cache.mkdir(parents=True, exist_ok=True)
    log = cache / f"{image.directory.name}.log"
    with tempfile.TemporaryDirectory(dir=cache, prefix="build-") as scratch, log.open("w") as said:
        os.chmod(scratch, 0o755)  # noqa: PTH101, S103 (mmdebstrap may run as a mapped user)
        command = _mmdebstrap(recipe, Path(scratch))
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        except subprocess.CalledProcessError as error:
            last = log.read_text(errors="replace").strip().splitlines()[-6:]
            reason = next((line for line in last if line.startswith("E:")), last[-1])
            msg = f"mmdebstrap can't build the {recipe.suite} image: {reason} (whole log: {log})"
            raise LabError(msg) from error
        shutil.rmtree(image.directory, ignore_errors=True)
        Path(scratch).rename(image.directory)
        Path(scratch).mkdir()  # for the context manager to remove


def _mmdebstrap(recipe: Recipe, target: Path) -> list[str]:
    kept = shlex.join([" ".join(recipe.cached), *recipe.downloads])
    return [
        "mmdebstrap",
        "--verbose",
        "--variant=apt",
        "--architectures=amd64",
        f"--include={','.join(recipe.installed)}",
        f"--essential-hook=sync-in '{recipe.tree}' /",
        f"--customize-hook='{recipe.script}' \"$1\" {recipe.size} {kept}",
        f"--customize-hook=copy-out /{' /'.join(_FILES)} '{target}'",
        "--skip=cleanup",  # the image is taken by then: its lists and package cache are wanted
        recipe.suite,
        "/dev/null",
        *recipe.sources,
    ]
