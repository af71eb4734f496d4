"""All the files of a host: node_files and client_files."""

from collections.abc import Iterator

import attrs

from san.model import Cluster

from .drbd import drbd_res
from .fence import fence_files
from .file import File, public, secret
from .haresources import haresources
from .heartbeat import authkeys, ha_cf, unit
from .iet import ietd_conf, initiators_allow
from .initiator import initiatorname, iscsid_conf, multipath_conf, node_record, node_record_path
from .kmod import kmod_files
from .limits import group_library, promotion_script, target_script, volume_group_script
from .lvm import UDEV_RULES, lvm_filter, udev_rules
from .network import arp_filter_script, network_files
from .stgt import stgt_conf
from .stonith import CONFIG as STONITH_CONFIG
from .stonith import PLUGIN as STONITH_PLUGIN
from .stonith import stonith_conf
from .template import raw
from .verify import verify_files
from .watch import watch_files

__all__ = ["File", "client_files", "node_files"]

RESOURCE_SCRIPTS = "/etc/ha.d/resource.d"
LIBRARY = "/usr/local/lib/san"
MANAGER = {
    "/etc/ha.d/harc": "group/harc",
    "/usr/share/heartbeat/ResourceManager": "group/ResourceManager",
}
"""What stands in place of Heartbeat's own program, and its template."""
HEARTBEAT_UNIT = "/etc/systemd/system/heartbeat.service.d/san.conf"


def _scripts(cluster: Cluster) -> Iterator[File]:
    """All of ours, whatever haresources names: a change of it leaves some to be stopped."""
    contents = {
        "arp_filter": arp_filter_script(cluster),
        "drbd-primary": promotion_script(cluster),
        "iscsi-target": target_script(cluster),
        "portal": raw("resource.d/portal"),
        "volume-group": volume_group_script(cluster),
    }
    for name, content in contents.items():
        yield public(f"{RESOURCE_SCRIPTS}/{name}", content, "cluster", mode=0o755)


def _target_files(cluster: Cluster) -> Iterator[File]:
    if cluster.target_software == "stgt":
        yield secret("/etc/san/stgt.conf", stgt_conf(cluster), "targets")
    else:
        yield secret("/etc/iet/ietd.conf", ietd_conf(cluster), "targets")
        yield public("/etc/iet/initiators.allow", initiators_allow(cluster), "targets")


def node_files(
    cluster: Cluster,
    node: str,
    manager: str = "systemd-networkd",
    backing: tuple[str, ...] = (),
) -> tuple[File, ...]:
    """Every file of the storage node `node`.

    `manager` configures its interfaces (san.render.network.MANAGERS); `backing` are further names
    of its backing disks (san.render.lvm).
    """
    cluster = cluster.seen_from(node)
    return (
        *kmod_files(cluster),
        *network_files(cluster, node, manager),
        *fence_files(cluster),
        *(
            secret(f"/etc/drbd.d/{resource.name}.res", drbd_res(cluster, resource), "replication")
            for resource in cluster.resources
        ),
        *verify_files(cluster, node),
        public("/etc/lvm/lvmlocal.conf", lvm_filter(cluster, node, backing), "volumes"),
        public(UDEV_RULES, udev_rules(cluster), "volumes"),
        public(HEARTBEAT_UNIT, unit(cluster), "cluster"),
        # Before ha.cf: Heartbeat doesn't start by one that names a plugin which isn't there.
        public(STONITH_PLUGIN, raw("stonith/san"), "cluster", mode=0o755),
        secret(STONITH_CONFIG, stonith_conf(cluster, node), "cluster"),
        public("/etc/ha.d/ha.cf", ha_cf(cluster), "cluster"),
        secret("/etc/ha.d/authkeys", authkeys(cluster), "cluster"),
        public(f"{LIBRARY}/Group.pm", group_library(cluster), "cluster"),
        *(public(path, raw(name), "cluster", mode=0o755) for path, name in MANAGER.items()),
        *_scripts(cluster),
        # After what it names: Heartbeat may read it at any moment.
        public("/etc/ha.d/haresources", haresources(cluster), "cluster"),
        *_target_files(cluster),
        *watch_files(cluster),
    )


def client_files(
    cluster: Cluster,
    client: str,
    manager: str = "systemd-networkd",
    records: str = "/etc/iscsi/nodes",
) -> tuple[File, ...]:
    """Every file of the client `client`, which keeps its node records in `records`."""
    cluster = cluster.seen_from(client)
    initiator = next(one for one in cluster.clients if one.name == client)
    portals = {target: cluster.portals_for(initiator, target) for target in cluster.targets}
    seen = tuple(target for target in cluster.targets if portals[target])
    return (
        *network_files(cluster, client, manager),
        public("/etc/iscsi/initiatorname.iscsi", initiatorname(initiator), "clients"),
        secret(
            "/etc/iscsi/iscsid.conf", iscsid_conf(attrs.evolve(cluster, targets=seen)), "clients"
        ),
        *(
            secret(
                node_record_path(records, target, portal),
                node_record(target, portal, cluster.timing),
                "clients",
            )
            for target in seen
            for portal in portals[target]
        ),
        public("/etc/multipath.conf", multipath_conf(cluster), "clients"),
    )
