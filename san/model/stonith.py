"""STONITH: the devices that reset a node which is silent, before its resources are taken over."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from .declare import declared, independent, is_sound, mapping, shown
from .plain import plain
from .problem import Problem
from .secret import Secret, a_secret
from .stonith_plugins import PARAMETERS

if TYPE_CHECKING:
    from .cluster import Cluster

_PLUGIN = re.compile(r"(?:external/|rhcs/)?[a-z0-9][a-z0-9_.-]{0,63}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_OTHERS = re.compile(r"PATH|IFS|ENV|HOME|SHELL|TERM|LANG|(?:BASH|HA|LC|LD|PERL5|PYTHON).*")
"""Variables that other programs live by: a plugin's parameters are in its environment."""
_SECRET = re.compile(r"(?:.*_)?(?:pass|passwd|password|community)", re.IGNORECASE)
_TEXT = re.compile(r"[ -~]{1,255}")

NODE_NAMES = ("hostname", "hostlist", "nodename", "HOSTLIST")
"""Parameters that say whom a device resets; the node's name, unless another is given."""

_NAMES = ("hostname", "nodename")
"""Those that tell two devices not apart; a list of hosts may: the outlets of a power switch."""

UNFIT = {
    "null": "it says that it has reset a node, and does nothing",
    "suicide": "it resets the node that calls it",
    "external/kdumpcheck": "it only looks whether a node writes a crash dump",
}
"""Plugins of cluster-glue that stop no other node."""


def _plugin(value: object) -> str | None:
    if isinstance(value, str) and _PLUGIN.fullmatch(value):
        if value in UNFIT:
            return f"{value!r} is no device for this: {UNFIT[value]}; name another"
        if value == "external/san":
            return "'external/san' is what asks the devices; name one of them"
        return None
    return f"{shown(value)} is not a plugin's name as `stonith -L` prints it, such as external/ipmi"


def _name(value: object) -> str | None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        return "it is not a parameter's name: letters, digits, `_` and `-`"
    if _OTHERS.fullmatch(value):
        return "it is a variable of the environment that other programs live by; no plugin has it"
    return None


def _value(value: object) -> str | None:
    if isinstance(value, str) and _TEXT.fullmatch(value) and value == value.strip():
        return None
    return (
        f"{shown(value)} is not a text of 1 to 255 printable ASCII characters, "
        "without space at its ends"
    )


@attrs.frozen
class Stonith:
    """A device that can reset a node, as a plugin of cluster-glue with parameters by name."""

    plugin: str = declared(_plugin)
    parameters: Mapping[str, str] = declared(
        mapping(_name, _value, "a text for each parameter by name"), factory=dict
    )
    secrets: Mapping[str, Secret] = declared(
        mapping(_name, a_secret, "a Secret for each parameter by name"), factory=dict, repr=False
    )
    """The parameters that nobody else may read."""

    def problems(self) -> Iterator[Problem]:
        """Secrets in the open, or that a plugin can't be given; two values of one parameter."""
        return independent(self, self._open(), self._texts(), self._unknown(), self._argument())

    def _open(self) -> Iterator[Problem]:
        for name in self.parameters:
            if name in self.secrets:
                yield Problem(f"secrets[{name!r}]", "it is in parameters too; keep one")
            elif _SECRET.fullmatch(name):
                yield Problem(
                    f"parameters[{name!r}]",
                    f"it is for all to read; write secrets={{{name!r}: Secret('…')}}, and its text "
                    "into secrets.env",
                )

    def _texts(self) -> Iterator[Problem]:
        for name, secret in self.secrets.items():
            text = secret.known
            if text is not None and _value(text) is not None:
                yield Problem(
                    f"secrets[{name!r}]",
                    f"{secret.name} is not a text of 1 to 255 printable ASCII characters, without "
                    "space at its ends",
                )

    def _argument(self) -> Iterator[Problem]:
        if self.plugin == "external/ipmi" and self.parameters.get("passwd_method") == "param":
            yield Problem(
                "parameters['passwd_method']",
                "'param' puts the password into an argument, where every user of the node can read "
                "it; leave it out",
            )

    def _unknown(self) -> Iterator[Problem]:
        known = PARAMETERS.get(self.plugin)
        if known is None:
            return
        for field in ("parameters", "secrets"):
            for name in getattr(self, field):
                if name not in known:
                    yield Problem(
                        f"{field}[{name!r}]",
                        f"{self.plugin} has no such parameter; it has {', '.join(sorted(known))}",
                    )

    @property
    def device(self) -> tuple[object, ...] | None:
        """What tells this device from others; None where no parameter says which one it is."""
        own = {name: text for name, text in self.parameters.items() if name not in _NAMES}
        return (self.plugin, *sorted(own.items())) if own else None

    def to_json(self) -> dict[str, object]:
        """The device as plain data, its secrets by their names."""
        return plain(self)


def problems(cluster: "Cluster") -> Iterator[Problem]:
    """Whether each node has devices of its own, or the cluster says why it goes without."""
    yield from independent(
        cluster,
        *(_lacking(cluster, index) for index in range(len(cluster.nodes))),
        *(_shared(cluster, index) for index in range(len(cluster.nodes))),
        _accepted(cluster),
    )


def _lacking(cluster: "Cluster", index: int) -> Iterator[Problem]:
    node = cluster.nodes[index]
    others = [other for other in cluster.nodes if other is not node and other.stonith]
    if not node.stonith and others:
        yield Problem(
            f"nodes[{index}].stonith",
            f"{node.name} has no device, and {others[0].name} has one: only one of them could "
            "ever be reset; give both one, or neither",
        )


def _accepted(cluster: "Cluster") -> Iterator[Problem]:
    with_one = any(node.stonith for node in cluster.nodes)
    if not with_one and cluster.accept_no_fencing is None:
        yield Problem(
            "nodes",
            "no node has a STONITH device, so a silent one can't be stopped from outside; give "
            "each one (stonith=), or accept it with accept_no_fencing='the reason'",
        )
    if with_one and is_sound(cluster.accept_no_fencing) and cluster.accept_no_fencing is not None:
        yield Problem(
            "accept_no_fencing", "its nodes have STONITH devices; remove the one or the other"
        )


def _shared(cluster: "Cluster", position: int) -> Iterator[Problem]:
    """Devices that stand twice: on this node, or on one before it."""
    node = cluster.nodes[position]
    for index, stonith in enumerate(node.stonith):
        path = f"nodes[{position}].stonith[{index}]"
        if stonith in node.stonith[:index]:
            yield Problem(path, "it is there twice; remove one")
        for other in cluster.nodes[:position]:
            if stonith.device and stonith.device in {each.device for each in other.stonith}:
                yield Problem(
                    path,
                    f"it is {other.name}'s device too: a reset of {node.name} would hit "
                    f"{other.name}; give each its own",
                )
