"""GRUB in front of each machine: it boots the kernel that the guest itself would boot by default.

QEMU takes it as `-kernel`, because GRUB's lnxboot.img makes it look like one, and starts it at
every boot, a guest's own reboot included. So it is no disk: the guest has nothing to mistake for
one of its own, and a snapshot nothing to save.
"""

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from san.lab import requirements
from san.lab.errors import LabError

KERNEL_ARGUMENTS = (
    "root=LABEL=san-lab rw console=ttyS0 loglevel=4 net.ifnames=0 "
    # no microcode, no neighbours, no fsck of a disk whose journal is enough: a lab
    "mitigations=off no_timer_check random.trust_cpu=on fsck.mode=skip"
)

_IDENTITY = "identity"  # the archive's name on GRUB's own small disk in memory

# Debian's kernel packages keep both links on the kernel to boot. The hint spares a look at other
# disks; an error goes to the machine's console, in log/. `linux16` loads a kernel where it starts;
# `linux` would move 50 MB a byte at a time, 3 s of every boot under emulation.
CONFIG = f"""\
serial
terminal_output serial
search.fs_label san-lab root hd0
linux16 /vmlinuz {KERNEL_ARGUMENTS}
initrd16 /initrd.img (memdisk)/{_IDENTITY}
boot
"""

_MODULES = (
    *("biosdisk", "ext2", "search_label"),  # the guest's file system
    *("memdisk", "tar"),  # the identity
    *("linux16", "boot"),
    *("serial", "terminal"),
)


def image(identity: bytes) -> bytes:
    """Return what QEMU boots: GRUB, with an archive that the kernel gets behind its initrd."""
    with tempfile.TemporaryDirectory() as scratch:
        config, memdisk, core = (Path(scratch, name) for name in ("cfg", "memdisk.tar", "core.img"))
        config.write_text(CONFIG)
        memdisk.write_bytes(_tar(_IDENTITY, identity))
        command = [requirements.find("grub-mkimage") or "grub-mkimage", "--format=i386-pc"]
        command += [f"--directory={requirements.GRUB}", "--prefix=(memdisk)/"]
        command += [f"--config={config}", f"--memdisk={memdisk}", f"--output={core}", *_MODULES]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            msg = f"grub-mkimage can't make what boots a machine: {made.stderr.strip()}"
            raise LabError(msg)
        return requirements.GRUB_AS_KERNEL.read_bytes() + core.read_bytes()


def _tar(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()
