"""Which packages and which units a host needs."""

import attrs

from san.model import Cluster

_TARGET_PACKAGES = {"stgt": ("tgt",), "iet": ()}
_PLUGIN_PACKAGES = {"external/ipmi": "ipmitool"}
_TARGET_UNITS = {"stgt": ("tgt.service",), "iet": ("iscsitarget.service",)}


@attrs.frozen
class Software:
    """Debian packages to install, and what becomes of their units."""

    packages: tuple[str, ...]
    enabled: tuple[str, ...]
    """Start at boot."""
    started: tuple[str, ...] = ()
    """Run now."""
    masked: tuple[str, ...] = ()
    """Never start by themselves."""

    @property
    def units(self) -> tuple[str, ...]:
        """Those that it says something of."""
        return (*self.enabled, *self.masked)


def software(cluster: Cluster, name: str) -> Software:
    """What the host `name` of `cluster` needs.

    The target daemon's own unit is masked: a daemon that starts at boot listens before its volume
    is there, and a login to a target that isn't there is final for an initiator.
    """
    if name not in {node.name for node in cluster.nodes}:
        return Software(
            packages=("open-iscsi", "multipath-tools"),
            enabled=("iscsid.service", "open-iscsi.service", "multipathd.service"),
            started=("iscsid.service", "multipathd.service"),
        )
    address_tools = ("net-tools",) if cluster.address_agent == "IPaddr" else ()
    return Software(
        packages=(
            "drbd-utils",
            "lvm2",
            "nftables",
            "heartbeat",
            "resource-agents",
            *address_tools,
            *_stonith_packages(cluster),
            *_TARGET_PACKAGES[cluster.target_software],
            *_build_packages(cluster),
        ),
        enabled=("drbd.service", "heartbeat.service"),
        masked=_TARGET_UNITS[cluster.target_software],
    )


def _stonith_packages(cluster: Cluster) -> tuple[str, ...]:
    """cluster-glue, and what a plugin calls."""
    plugins = {device.plugin for node in cluster.nodes for device in node.stonith}
    if not plugins:
        return ()
    return ("cluster-glue", *(_PLUGIN_PACKAGES[each] for each in plugins & _PLUGIN_PACKAGES.keys()))


def _build_packages(cluster: Cluster) -> tuple[str, ...]:
    """What building modules takes; the compiler itself comes with the kernel's headers."""
    if not cluster.modules:
        return ()
    named = (package for module in cluster.modules for package in module.packages)
    tools = ("gcc", "libc6-dev") if any(module.tools for module in cluster.modules) else ()
    return tuple(dict.fromkeys(("make", "binutils", "patch", *tools, *named)))
