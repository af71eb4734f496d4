"""Kernel modules that this library knows how to build: the targets of the guide's choice.

For `Cluster(modules=…)`. Another module is a `KernelModule` of your own; see docs/modules.md.
"""

from san.model import Archive, KernelModule, Kernels, Tool

_SCST_LAST = {"3.6": "5.15", "3.7": "6.1", "3.8": "6.7", "3.9": "6.12", "3.10": "6.18"}
"""The newest kernel that a release of SCST supports (scst/ChangeLog); all of them begin at 3.10."""


def iet_0_4_17(source: Archive) -> KernelModule:
    """iSCSI Enterprise Target 0.4.17: the guide's module and its tools.

    Its makefile refuses kernels before 2.6.14; 2.6.28 needs what 1.4.18 brought (its ChangeLog).
    """
    return _iet("0.4.17", source, last="2.6.27")


def iet_1_4_20_3(source: Archive) -> KernelModule:
    """iSCSI Enterprise Target 1.4.20.3, the last release; it compiles on no kernel after 3.2."""
    return _iet("1.4.20.3", source, last="3.2")


def _iet(version: str, source: Archive, *, last: str) -> KernelModule:
    return KernelModule(
        "iscsi_trgt",
        version=version,
        source=source,
        files=("kernel/iscsi_trgt.ko",),
        # Both names of the kernel's tree: the guide's README and the makefiles differ in it.
        make=(("KSRC={build}", "KERNELSRC={build}", "kernel", "usr"),),
        kernels=Kernels("2.6.14", last),
        packages=("libssl-dev",),
        tools=(
            Tool("usr/ietd", "/usr/local/sbin/ietd"),
            Tool("usr/ietadm", "/usr/local/sbin/ietadm"),
        ),
    )


def scst(source: Archive, version: str) -> KernelModule:
    """SCST: its core, the handler of virtual disks, the iSCSI target, and the target's tools.

    Its ChangeLog says up to which kernel each release goes; a later release goes as far as it
    compiles.
    """
    major, minor, *_ = (*version.split("."), "")
    kernel = "KDIR={build}", "KVER={release}"
    return KernelModule(
        "scst",
        version=version,
        source=source,
        files=(
            "scst/src/scst.ko",
            "scst/src/dev_handlers/scst_vdisk.ko",
            "iscsi-scst/kernel/iscsi-scst.ko",
        ),
        make=(("-C", "scst", *kernel, "all"), ("-C", "iscsi-scst", *kernel, "all")),
        kernels=Kernels("3.10", _SCST_LAST.get(f"{major}.{minor}")),
        load=("scst", "scst_vdisk", "iscsi-scst"),
        tools=(
            Tool("iscsi-scst/usr/iscsi-scstd", "/usr/local/sbin/iscsi-scstd"),
            Tool("iscsi-scst/usr/iscsi-scst-adm", "/usr/local/sbin/iscsi-scst-adm"),
        ),
        space=600,
    )
