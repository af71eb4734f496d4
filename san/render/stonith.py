"""STONITH: the devices that this node resets its peer with, and Heartbeat's way to them."""

from collections.abc import Iterator

from san.model import Cluster, Stonith

from .template import text

PLUGIN = "/usr/lib/stonith/plugins/external/san"
"""Ours, where cluster-glue looks for `external/san`."""

CONFIG = "/etc/san/stonith.conf"
"""Its devices, for root alone."""

_DEFAULTS = {"external/ipmi": {"passwd_method": "env"}}
"""What keeps a plugin from putting its password into an argument."""


def settings(device: Stonith) -> Iterator[tuple[str, str]]:
    """Every parameter of a device by name, secrets included."""
    yield from (_DEFAULTS.get(device.plugin, {}) | dict(device.parameters)).items()
    for name, secret in device.secrets.items():
        yield name, secret.reveal()


def stonith_conf(cluster: Cluster, node: str) -> str:
    """/etc/san/stonith.conf of `node`: the devices of its peer."""
    peer = cluster.peer(node)
    devices = [
        {"plugin": device.plugin, "settings": list(settings(device))} for device in peer.stonith
    ]
    return text("stonith/stonith.conf", node=peer.name, devices=devices)


def stonith_hosts(cluster: Cluster) -> list[str]:
    """ha.cf's lines: with what each node resets its peer."""
    return [
        f"stonith_host {cluster.peer(node.name).name} external/san {node.name}"
        for node in cluster.nodes
        if node.stonith
    ]
