"""The Debian mirror that this machine's own apt uses, for any suite."""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence

from san.lab.errors import LabError

SUITES = ("bookworm", "trixie")

# Suites whose backports the image knows as well: their kernel is the one after the suite's own.
BACKPORTS = ("bookworm",)

# What apt prints for each index it knows: address, suite as written in its sources, origin.
_FORMAT = "$(REPO_URI) $(RELEASE) $(ORIGIN) $(COMPONENT)"
# bookworm, bookworm-updates, bookworm-security; not backports, which few machines have
_RELEASE = re.compile(r"(?P<name>[a-z]+)(?P<pocket>|-updates|-security)")


def index_targets() -> list[str]:
    """Ask apt for its package indexes."""
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"],
        check=False,
        capture_output=True,
        text=True,
    )
    if asked.returncode:
        msg = f"`apt-get indextargets` fails, so there is no mirror to build from: {asked.stderr}"
        raise LabError(msg)
    return asked.stdout.splitlines()


def sources_list(suite: str, targets: Iterable[str]) -> Sequence[str]:
    """Derive sources.list lines of `suite` from the index targets of this machine.

    The suite's name replaces the machine's own; the pockets (updates, security) stay those that the
    machine has, in the order main archive first. Backports lie beside the main archive; apt takes
    nothing from them unasked.
    """
    pockets: dict[str, str] = {}
    for target in targets:
        uri, release, origin, component = target.split(" ")
        match = _RELEASE.fullmatch(release)
        if match and origin == "Debian" and component == "main":
            pockets.setdefault(match["pocket"], uri)
    if "" not in pockets:
        msg = "apt on this machine knows no Debian main archive: add one to its sources, then retry"
        raise LabError(msg)
    if suite == "sid":
        pockets = {"": pockets[""]}
    if suite in BACKPORTS:
        pockets["-backports"] = pockets[""]
    return [f"deb {uri} {suite}{pocket} main" for pocket, uri in sorted(pockets.items())]


def default_suite() -> str:
    """Return the suite that `up` takes when none is named: SAN_LAB_SUITE, or the first."""
    return os.environ.get("SAN_LAB_SUITE") or SUITES[0]
