"""What makes one image three machines: names, keys and management addresses."""

import hashlib
import io
import subprocess
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from san.lab.layout import Layout
from san.lab.machines import Machine


@frozen
class Entry:
    """A file of a machine's identity."""

    text: str
    mode: int = 0o644


def make_key(path: Path, comment: str) -> None:
    """Make an ed25519 key pair at `path` unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def public_key(path: Path) -> str:
    """Type and body of the public half, without its comment."""
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def files(machine: Machine, layout: Layout) -> Mapping[str, Entry]:
    """Return the files that are this machine's own, by their path on it."""
    host_key = layout.keys / machine.name
    machine_id = hashlib.md5(f"san-lab {machine.name}".encode(), usedforsecurity=False).hexdigest()
    return {
        "etc/hostname": Entry(f"{machine.name}\n"),
        "etc/hosts": Entry(f"127.0.0.1 localhost\n127.0.1.1 {machine.name}\n::1 localhost\n"),
        "etc/machine-id": Entry(f"{machine_id}\n", 0o444),
        "etc/ssh/ssh_host_ed25519_key": Entry(host_key.read_text(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": Entry(f"{public_key(host_key)} {machine.name}\n"),
        "etc/systemd/network/10-lab-management.network": Entry(
            "# Management only: eth1 to eth3 belong to the deploy.\n"
            "[Match]\nName=eth0\n\n[Network]\n"
            f"Address={machine.management_address}/24\nGateway=10.0.2.2\nDNS=10.0.2.3\n"
            "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        ),
        "root/.ssh/authorized_keys": Entry(f"{public_key(layout.keys / 'lab')}\n", 0o600),
    }


def archive(entries: Mapping[str, Entry]) -> bytes:
    """Pack `entries` below /lab-identity as a cpio archive (newc), the kernel's initrd format."""
    directories: dict[str, int] = {}
    for path in entries:
        for parent in reversed(Path("lab-identity", path).parents[:-1]):
            private = parent.parts[-1] in {"root", ".ssh"}
            directories[str(parent)] = 0o40700 if private else 0o40755
    out = io.BytesIO()
    for number, (name, mode) in enumerate(directories.items(), start=1):
        out.write(_record(number, name, mode, b""))
    for number, (path, entry) in enumerate(entries.items(), start=len(directories) + 1):
        out.write(
            _record(number, f"lab-identity/{path}", 0o100000 | entry.mode, entry.text.encode())
        )
    out.write(_record(0, "TRAILER!!!", 0, b""))
    return out.getvalue()


def _record(inode: int, name: str, mode: int, data: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device (4 numbers), length of name, checksum
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + encoded
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def ssh_config_text(layout: Layout, ports: Mapping[str, int]) -> str:
    """Return the ssh_config that OpenSSH and paramiko read alike: absolute paths, no patterns."""
    blocks = [
        f"Host {host}\n"
        f"    HostName 127.0.0.1\n"
        f"    Port {port}\n"
        f"    User root\n"
        f"    IdentityFile {layout.keys / 'lab'}\n"
        f"    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {layout.known_hosts}\n"
        f"    StrictHostKeyChecking yes\n"
        f"    ServerAliveInterval 5\n"
        # cheap to emulate; ssh's own choice of keys is post-quantum by now, and this is loopback
        f"    KexAlgorithms curve25519-sha256\n"
        f"    Ciphers aes128-ctr\n"
        for host, port in ports.items()
    ]
    return "# Written by `san lab up`.\n" + "\n".join(blocks)


def known_hosts_text(layout: Layout, ports: Mapping[str, int]) -> str:
    """Return the machines' host keys under the addresses they are reached at."""
    return "".join(
        f"[127.0.0.1]:{port} {public_key(layout.keys / host)}\n" for host, port in ports.items()
    )
