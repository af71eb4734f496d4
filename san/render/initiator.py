"""A client: open-iscsi logs in to every portal, multipath makes one disk of the paths."""

from san.model import Client, Cluster, Portal, Target, Timing

from .template import text


def initiatorname(client: Client) -> str:
    """/etc/iscsi/initiatorname.iscsi."""
    return text("client/initiatorname.iscsi", client=client)


def iscsid_conf(cluster: Cluster) -> str:
    """/etc/iscsi/iscsid.conf: what a newly discovered portal begins with.

    It can hold one CHAP user, and does where all targets want the same; `node_record` serves the
    other case.
    """
    chaps = {target.chap for target in cluster.targets}
    return text(
        "client/iscsid.conf",
        timing=cluster.timing,
        chap=chaps.pop() if len(chaps) == 1 else None,
    )


def node_record(target: Target, portal: Portal, timing: Timing) -> str:
    """A record of open-iscsi's database: how to log in to `target` through `portal`.

    Written as a file, its CHAP secret never is an argument of iscsiadm.
    """
    return text("client/node", target=target, portal=portal, timing=timing, chap=target.chap)


def node_record_path(records: str, target: Target, portal: Portal) -> str:
    """Where that record is kept, in the directory `records` of all of them."""
    return f"{records}/{target.name}/{portal.ip},3260,1/default"


def multipath_conf(cluster: Cluster) -> str:
    """/etc/multipath.conf."""
    return text("client/multipath.conf", timing=cluster.timing)
