"""A machine's identity: the archive that goes behind an initrd, and how ssh finds it."""

import subprocess

import paramiko
import pytest

from san.lab import identity
from san.lab.identity import Entry
from san.lab.layout import Layout
from san.lab.machines import MACHINES, WEASEL

PORTS = {"weasel": 40001, "otter": 40002, "badger": 40003}


@pytest.fixture
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A lab's directory with made-up keys, short enough for sockets in it."""
    made = Layout(tmp_path_factory.mktemp("lab"))
    made.keys.mkdir()
    for name in ("lab", *MACHINES):
        (made.keys / name).write_text(f"private {name}\n")
        (made.keys / f"{name}.pub").write_text(f"ssh-ed25519 {name}body comment\n")
    return made


def unpack(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a newc archive, as the kernel does: name to mode and contents."""
    found, at = {}, 0
    while True:
        assert archive[at : at + 6] == b"070701"
        numbers = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[at : at + size])
        at += (size + 3) // 4 * 4


def test_archive_has_directories_before_their_files():
    """Modes are kept; root's own directories are closed to others."""
    packed = identity.archive({"root/.ssh/key": Entry("k\n", 0o600), "etc/hostname": Entry("w\n")})
    assert list(unpack(packed).items()) == [
        ("lab-identity", (0o40755, b"")),
        ("lab-identity/root", (0o40700, b"")),
        ("lab-identity/root/.ssh", (0o40700, b"")),
        ("lab-identity/etc", (0o40755, b"")),
        ("lab-identity/root/.ssh/key", (0o100600, b"k\n")),
        ("lab-identity/etc/hostname", (0o100644, b"w\n")),
    ]


def test_only_management_is_configured(layout: Layout):
    """eth1 to eth3 belong to the deploy."""
    entries = identity.files(WEASEL, layout)
    networks = {path: entry.text for path, entry in entries.items() if "network" in path}
    assert list(networks) == ["etc/systemd/network/10-lab-management.network"]
    assert "Name=eth0\n" in networks.popitem()[1]
    assert entries["etc/ssh/ssh_host_ed25519_key"] == Entry("private weasel\n", 0o600)


def test_machines_differ(layout: Layout):
    """No two machines share a name, an id or a key."""
    for path in ("etc/hostname", "etc/machine-id", "etc/ssh/ssh_host_ed25519_key"):
        texts = {identity.files(machine, layout)[path].text for machine in MACHINES.values()}
        assert len(texts) == len(MACHINES), path


def test_ssh_config_reads_alike_in_paramiko_and_openssh(layout: Layout):
    """pyinfra uses the one, people the other."""
    layout.ssh_config.write_text(identity.ssh_config_text(layout, PORTS))
    theirs = paramiko.SSHConfig.from_path(str(layout.ssh_config)).lookup("otter")
    assert (theirs["hostname"], theirs["port"], theirs["user"]) == ("127.0.0.1", "40002", "root")
    assert theirs["identityfile"] == [str(layout.keys / "lab")]
    assert theirs["userknownhostsfile"] == str(layout.known_hosts)
    said = subprocess.run(
        ["ssh", "-G", "-F", layout.ssh_config, "otter"], check=True, capture_output=True, text=True
    ).stdout
    for line in ("hostname 127.0.0.1", "port 40002", "user root", "stricthostkeychecking true"):
        assert f"{line}\n" in said


def test_known_hosts_are_under_their_forwarded_ports(layout: Layout):
    """One loopback address, three keys."""
    assert identity.known_hosts_text(layout, PORTS).splitlines() == [
        "[127.0.0.1]:40001 ssh-ed25519 weaselbody",
        "[127.0.0.1]:40002 ssh-ed25519 otterbody",
        "[127.0.0.1]:40003 ssh-ed25519 badgerbody",
    ]
