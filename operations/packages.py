"""Debian packages, and which of their units start at boot."""

from collections.abc import Iterable, Iterator

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.context import host

from facts.packages import Packages
from operations.observation import converging, observed
from san.decide.software import software
from san.model import Client, Node

# SYSTEMD_OFFLINE: a package's scripts neither start its daemons (a target would listen before its
# volume is there) nor reload systemd, which each does several times; once at the end is enough.
# SAN_KMOD_DEFER: the hooks of a kernel's headers leave the building to the run, which may have the
# twin's build.
_ENVIRONMENT = "SYSTEMD_OFFLINE=1 SAN_KMOD_DEFER=1 DEBIAN_FRONTEND=noninteractive"
APT = (
    f"{_ENVIRONMENT} apt-get install --yes --no-install-recommends "
    "-o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120"
)
"""apt-get install, as this library calls it; package names follow."""


def apt_install(packages: Iterable[str]) -> str:
    """The command that installs packages, by apt's lists as they are, or else by new ones."""
    install = f"{APT} {' '.join(packages)}"
    return f"{{ {install} || {{ apt-get update && {install}; }}; }}"


@converging(Node, Client)
def installed() -> Iterator[PyinfraCommand]:
    """Install what this host needs, finish what an interrupted dpkg left, and set its units."""
    wanted = software(host.data.cluster, host.data.member.name)
    found = observed(host, Packages, units=wanted.units)
    broken = (found.broken or found.interrupted) and not found.locked
    if broken:
        # A package that was cut off while it was unpacked is for apt to install once more.
        yield StringCommand(f"{_ENVIRONMENT} dpkg --configure -a; {APT} --fix-broken")
    mask = [unit for unit in wanted.masked if not found.units[unit].masked]
    if mask:
        yield StringCommand("systemctl", "mask", *mask)
    missing = [name for name in wanted.packages if name not in found.installed]
    if missing:
        yield StringCommand(f"{apt_install(missing)} && systemctl daemon-reload")
    enable = [unit for unit in wanted.enabled if missing or not found.units[unit].enabled]
    if enable:
        yield StringCommand("systemctl", "enable", *enable)
    start = [unit for unit in wanted.started if missing or not found.units[unit].running]
    if start:
        yield StringCommand("systemctl", "start", *start)
    if not (broken or mask or missing or enable or start):
        host.noop("every package is installed, and every unit set")
