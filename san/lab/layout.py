"""Where a lab keeps its things: every path in one place."""

import os
from pathlib import Path

from attrs import field, frozen

from san.lab.errors import LabError

# A socket's path is at most 107 bytes; the longest below the lab's directory takes 36 of them.
_LONGEST_DIRECTORY = 70


def _absolute(directory: Path) -> Path:
    return directory.absolute()


def _short_enough(_: object, __: object, directory: Path) -> None:
    if len(os.fsencode(directory)) > _LONGEST_DIRECTORY:
        msg = (
            f"the lab's directory {directory} is longer than {_LONGEST_DIRECTORY} bytes, too long "
            "for the sockets in it: set SAN_LAB_DIR to a shorter one"
        )
        raise LabError(msg)


def default_directory() -> Path:
    """`build/lab` of the project, or SAN_LAB_DIR."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("SAN_LAB_DIR") or root / "build" / "lab").absolute()


def cache_directory() -> Path:
    """Where images are kept for every checkout of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "san-lab"


@frozen
class Layout:
    """The files of one lab."""

    directory: Path = field(converter=_absolute, validator=_short_enough)

    @property
    def state(self) -> Path:
        """The lab's description, written when it is up."""
        return self.directory / "lab.json"

    @property
    def lock(self) -> Path:
        """Held while a command changes the lab."""
        return self.directory / "lock"

    @property
    def accel(self) -> Path:
        """The boot probe's verdict."""
        return self.directory / "accel.json"

    @property
    def ssh_config(self) -> Path:
        """What OpenSSH and pyinfra read to reach the machines."""
        return self.directory / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The machines' host keys."""
        return self.directory / "known_hosts"

    @property
    def keys(self) -> Path:
        """The lab's own key and the machines' host keys."""
        return self.directory / "keys"

    @property
    def processes(self) -> Path:
        """A record for each process that the lab started."""
        return self.directory / "run"

    def switch(self, segment: str, side: str) -> Path:
        """Directory of the sockets of one switch."""
        return self.directory / "net" / f"{segment}-{side}"

    def wire_control(self, segment: str) -> Path:
        """Management socket of the wire between a segment's two switches."""
        return self.directory / "net" / f"{segment}.wire"

    def cable(self) -> Path:
        """Socket of the serial cable between the two nodes."""
        return self.directory / "net" / "serial"

    def qmp(self, host: str) -> Path:
        """Control socket of a machine."""
        return self.directory / "run" / f"{host}.qmp"

    def disk(self, host: str, serial: str) -> Path:
        """One of a machine's disks."""
        return self.directory / "disks" / f"{host}-{serial}.qcow2"

    def grub(self, host: str) -> Path:
        """What QEMU boots a machine with: GRUB, and the machine's identity in it."""
        return self.directory / "disks" / f"{host}.grub"

    def log(self, name: str) -> Path:
        """What a process of the lab, or a machine's console, has said."""
        return self.directory / "log" / f"{name}.log"
