"""Kernel modules: their descriptions for `san-kmod`, and what calls it on a node."""

from collections.abc import Iterator

from san.model import Archive, Cluster, KernelModule

from .file import File, public
from .template import raw, text

PROGRAM = "/usr/local/sbin/san-kmod"
DESCRIPTIONS = "/etc/san/kmod.d"
SOURCES = "/var/lib/san/kmod/sources"
"""Archives and patches by their sha256."""

_LOAD = "/etc/modules-load.d/san-kmod.conf"
_HOOKS = {
    # before initramfs-tools and the boot loader's, in run-parts(8)'s order
    "/etc/kernel/postinst.d/50-san-kmod": "hook-image",
    "/etc/kernel/header_postinst.d/50-san-kmod": "hook-headers",
    "/etc/kernel/postrm.d/50-san-kmod": "hook-removed",
    "/etc/kernel/install.d/40-san-kmod.install": "hook-kernel-install",
    "/etc/initramfs-tools/hooks/san-kmod": "hook-initrd",
    "/etc/update-motd.d/80-san-kmod": "motd",
}

UNITS = (
    "/etc/systemd/system/san-kmod.service",
    "/etc/systemd/system/heartbeat.service.d/san-kmod.conf",
)
"""What systemd has to read anew."""


def description(module: KernelModule) -> str:
    """/etc/san/kmod.d/NAME.conf: data for `san-kmod`, a word and its value on each line."""
    archive = isinstance(module.source, Archive)
    return text("kmod/module.conf", module=module, archive=archive)


def kmod_files(cluster: Cluster) -> Iterator[File]:
    """The program, which knows this node's kernels; with modules, all that calls it."""
    yield public(PROGRAM, raw("kmod/san-kmod"), "modules", mode=0o755)
    if not cluster.modules:
        return
    for module in cluster.modules:
        yield public(f"{DESCRIPTIONS}/{module.name}.conf", description(module), "modules")
        if module.options:
            lines = "".join(f"{line}\n" for line in module.options)
            yield public(_options(module), lines, "modules")
    load = [name for module in cluster.modules for name in module.load]
    if load:
        lines = "".join(f"{name}\n" for name in load)
        yield public(_LOAD, lines, "modules")
    unit, drop_in = UNITS
    yield public(unit, text("kmod/san-kmod.service", load=load), "modules")
    yield public(drop_in, raw("kmod/heartbeat.conf"), "modules")
    # Last: a hook finds all that it calls.
    for path, template in _HOOKS.items():
        yield public(path, raw(f"kmod/{template}"), "modules", mode=0o755)


def unwanted(cluster: Cluster) -> tuple[str, ...]:
    """Paths of what other modules, or other settings of these, would have on a node."""
    wanted = {file.path for file in kmod_files(cluster)}
    options = (_options(module) for module in cluster.modules)
    return tuple(path for path in (*_HOOKS, *UNITS, _LOAD, *options) if path not in wanted)


def _options(module: KernelModule) -> str:
    return f"/etc/modprobe.d/san-{module.name}.conf"
