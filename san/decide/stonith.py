"""Whether a node can use the devices that are declared for its peer."""

from collections.abc import Iterable

from san.model import Cluster
from san.model.stonith import NODE_NAMES
from san.observe.stonith import Answer, StonithState

from .refusal import Refusal


def plugins(cluster: Cluster, node: str) -> tuple[str, ...]:
    """The plugins with which `node` resets its peer, each once."""
    return tuple(dict.fromkeys(device.plugin for device in cluster.peer(node).stonith))


def usable(cluster: Cluster, node: str, found: StonithState) -> None:
    """Raise Refusal where a plugin isn't on `node`, or has other parameters than are declared."""
    peer = cluster.peer(node)
    for index, device in enumerate(peer.stonith):
        path = f"nodes[{cluster.nodes.index(peer)}].stonith[{index}]"
        parameters = found.plugins.get(device.plugin)
        if parameters is None:
            raise Refusal(
                f"{path}: STONITH plugin {device.plugin} is not there: stonith -L; install the "
                "package that brings it, or name another"
            )
        given = {*device.parameters, *device.secrets}
        unknown = sorted(given - {*parameters.known})
        if unknown:
            raise Refusal(
                f"{path}: {device.plugin} knows no parameter {', '.join(unknown)}; it has "
                f"{', '.join(parameters.known)}"
            )
        lacking = [name for name in parameters.needed if name not in {*given, *NODE_NAMES}]
        if lacking:
            raise Refusal(
                f"{path}: {device.plugin} needs {', '.join(lacking)} too; add it to parameters or "
                "to secrets"
            )


def mute(answers: Iterable[Answer]) -> str | None:
    """Which devices don't answer, in a sentence."""
    failed = [
        f"{each.plugin} of {each.node} (device {each.number}) says: {each.said}"
        for each in answers
        if not each.ok
    ]
    return "; ".join(failed) or None
