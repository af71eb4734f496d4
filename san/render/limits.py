"""The programs of a node with the cluster's limits in them.

A script stays one that runs, and that its tests run, as it stands in templates/: its limits are
constants at its head, a line each. Rendering it sets their numbers.
"""

import re

from san.model import Cluster

from .template import raw


def target_script(cluster: Cluster) -> str:
    """/etc/ha.d/resource.d/iscsi-target."""
    timing = cluster.timing
    limits = {"START_S": timing.target_start, "STOP_S": timing.target_stop}
    if cluster.target_software == "stgt":
        limits |= {"ANSWER_S": timing.target_answer, "BUSY_S": timing.target_idle}
    return _limited(f"resource.d/iscsi-target.{cluster.target_software}", limits)


def volume_group_script(cluster: Cluster) -> str:
    """/etc/ha.d/resource.d/volume-group."""
    return _limited("resource.d/volume-group", {"LIMIT_S": cluster.timing.volume_group})


def promotion_script(cluster: Cluster) -> str:
    """/etc/ha.d/resource.d/drbd-primary."""
    return _limited("resource.d/drbd-primary", {"PATIENCE_S": cluster.timing.promotion})


def group_library(cluster: Cluster) -> str:
    """What runs the resource scripts."""
    return _limited("group/Group.pm", {"LIMIT_S": cluster.timing.resource_script})


def fence_program(cluster: Cluster) -> str:
    """/usr/local/sbin/san-fence."""
    limits = {"ANSWER_S": cluster.timing.fence_answer, "PROMOTE_S": cluster.fence_peer}
    return _limited("fence/san-fence", limits)


def _limited(template: str, limits: dict[str, int]) -> str:
    """The script of `template` with each constant of `limits` set: `my $NAME = 1;` or `NAME=1`."""
    text = raw(template)
    for name, value in limits.items():
        line = re.compile(rf"^((?:my \$)?{name} *= *)\d+\b", re.MULTILINE)
        text, count = line.subn(rf"\g<1>{value}", text)
        if count != 1:
            raise LookupError(f"{template} has {count} lines that set {name}, not one")
    return text
