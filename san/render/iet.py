"""IET: its targets, and who may log in."""

from san.model import Cluster

from .acl import addresses, names
from .template import text


def ietd_conf(cluster: Cluster) -> str:
    """/etc/iet/ietd.conf."""
    return text("iet/ietd.conf", targets=cluster.targets)


def initiators_allow(cluster: Cluster) -> str:
    """/etc/iet/initiators.allow: a line for each target, since IET admits nobody to the others.

    IET reads an initiator's name as a regular expression.
    """
    acls = [(target, cluster.acl_of(target)) for target in cluster.targets]
    targets = [
        (target, [*addresses(acl), *(name.replace(".", "[.]") for name in names(acl))])
        for target, acl in acls
    ]
    return text("iet/initiators.allow", targets=targets)
