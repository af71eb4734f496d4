"""STONITH: what a node resets its peer with, judged before it is relied on."""

from pyinfra.context import host

from facts.stonith import Stonith, StonithDevices
from operations.file import differing
from operations.observation import observed
from san.decide.refusal import Refusal
from san.decide.stonith import mute, plugins, usable
from san.model import Cluster
from san.observe.stonith import Answer
from san.render.stonith import CONFIG

ANSWER_LIMIT = 30
"""Seconds for the devices to answer once at least; a mute one alone takes 20."""


def judge(*, installed: bool) -> None:
    """Raise Refusal where this node can't use its peer's devices as they are declared.

    What lies here already was judged when it came. Before this run has `installed` its packages, a
    node without cluster-glue can't be asked yet.
    """
    cluster: Cluster = host.data.cluster
    wanted = plugins(cluster, host.data.member.name)
    if not wanted or CONFIG not in {file.path for file in differing("cluster")}:
        return
    found = observed(host, Stonith, plugins=wanted)
    if found.installed:
        usable(cluster, host.data.member.name, found)
    elif installed:
        raise Refusal(
            "stonith(8) isn't there, though cluster-glue is installed: dpkg -V cluster-glue"
        )


def devices_amiss() -> str | None:
    """Which of the devices that this node resets its peer with doesn't answer."""
    if not plugins(host.data.cluster, host.data.member.name):
        return None
    answers: tuple[Answer, ...] = observed(host, StonithDevices)
    return mute(answers)
