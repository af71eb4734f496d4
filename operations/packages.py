"""Debian packages, and which of their units start at boot."""

from collections.abc import Iterator

from pyinfra.api import StringCommand
from pyinfra.api.command import PyinfraCommand
from pyinfra.context import host

from facts.packages import Packages
from operations.observation import converging, observed
from san.decide.software import software

_APT = (
    "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "
    "-o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120"
)


@converging
def installed() -> Iterator[PyinfraCommand]:
    """Install what this host needs, finish what an interrupted dpkg left, and set its units."""
    wanted = software(host.data.cluster, host.data.member.name)
    units = (*wanted.enabled, *wanted.masked)
    found = observed(host, Packages, names=wanted.packages, units=units)
    if found.broken:
        yield StringCommand("DEBIAN_FRONTEND=noninteractive", "dpkg", "--configure", "-a")
    mask = [unit for unit in wanted.masked if found.units[unit].file_state != "masked"]
    if mask:
        yield StringCommand("systemctl", "mask", "--now", *mask)
    missing = [name for name in wanted.packages if name not in found.installed]
    if missing:
        install = f"{_APT} {' '.join(missing)}"
        yield StringCommand(f"{install} || {{ apt-get update && {install}; }}")
    enable = [unit for unit in wanted.enabled if found.units[unit].file_state != "enabled"]
    if enable:
        yield StringCommand("systemctl", "enable", *enable)
    if not (found.broken or mask or missing or enable):
        host.noop("every package is installed, and every unit set")
