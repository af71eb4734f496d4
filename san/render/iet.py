"""IET: its targets, and who may log in."""

from san.model import Cluster

from .template import text


def ietd_conf(cluster: Cluster) -> str:
    """/etc/iet/ietd.conf."""
    return text("iet/ietd.conf", targets=cluster.targets)
