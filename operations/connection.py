"""How the running operation was told to reach its host: as root by sudo, for one."""

from typing import Any

from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, auth_argument_meta
from pyinfra.api.host import Host
from pyinfra.context import host, state


def connection(host: Host) -> dict[str, Any]:
    """pyinfra's arguments for a command that the operation runs beside its own."""
    return {
        key: value
        for key, value in (host.current_op_global_arguments or {}).items()
        if key in CONNECTOR_ARGUMENT_KEYS
    }


def elsewhere(of: Host) -> dict[str, Any]:
    """The same for a fact of another host, which knows nothing of this operation.

    What the inventory says of that host is its own, and so is its password: pyinfra shows what it
    passes to a fact.
    """
    own = host.current_op_global_arguments
    if own is None or of.name == host.name:
        return {}
    values: dict[str, Any] = dict(own)
    return {
        key: values[key]
        for key, meta in auth_argument_meta.items()
        if not key.endswith("_password")
        and values[key] != meta.default(state.config)
        and of.data.get(key) is None
    }
