"""How pyinfra reaches a host: its ssh_… connector data."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .declare import Finding, shown
from .problem import Problem

if TYPE_CHECKING:
    from .cluster import Client, Node

SSH_PORT = 22

KEYS: Mapping[str, type | tuple[type, ...]] = {
    "ssh_hostname": str,
    "ssh_port": int,
    "ssh_user": str,
    "ssh_password": str,
    "ssh_key": str,
    "ssh_key_password": str,
    "ssh_allow_agent": bool,
    "ssh_look_for_keys": bool,
    "ssh_forward_agent": bool,
    "ssh_config_file": str,
    "ssh_known_hosts_file": str,
    "ssh_strict_host_key_checking": str,
    "ssh_paramiko_connect_kwargs": dict,
    "ssh_connect_retries": int,
    "ssh_connect_retry_min_delay": (int, float),
    "ssh_connect_retry_max_delay": (int, float),
    "ssh_file_transfer_protocol": str,
}
"""What pyinfra's SSH connector knows, and of which type; it ignores any other key in silence."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "ssh_strict_host_key_checking": ("accept-new", "ask", "no", "off", "yes"),
    "ssh_file_transfer_protocol": ("sftp", "scp"),
}


def connection(value: object) -> Finding:
    """pyinfra's connector data, as a check of a field. No message shows a value, maybe a secret."""
    if not isinstance(value, Mapping):
        found = type(value).__name__
        return f"it is of type {found}, not pyinfra's ssh_… data, such as {{'ssh_user': 'root'}}"
    return tuple(
        Problem(f"[{shown(key)}]", sentence)
        for key, item in value.items()
        if (sentence := _entry(key, item))
    )


def _entry(key: object, value: object) -> str | None:
    if not isinstance(key, str) or key not in KEYS:
        near = get_close_matches(key, KEYS, n=1) if isinstance(key, str) else []
        instead = f"write {near[0]!r}" if near else f"it knows {', '.join(KEYS)}"
        return f"pyinfra's SSH connector has no such key; {instead}"
    kind = KEYS[key]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if type(value) not in kinds:
        return f"it is of type {type(value).__name__}; write one of type {kinds[-1].__name__}"
    if value == "":
        return "it is empty; write it, or leave the key out"
    if key == "ssh_port" and not 1 <= int(str(value)) <= 65535:  # noqa: PLR2004 (TCP's own)
        return "it is no TCP port; write a whole number from 1 to 65535"
    if key in _WORDS and value not in _WORDS[key]:
        return f"it is none of {', '.join(_WORDS[key])}; write one of them"
    return None


def reached(host: "Node | Client") -> tuple[str, object]:
    """Where pyinfra reaches `host`: a name or an address, and a port."""
    return str(host.ssh.get("ssh_hostname", host.name)).lower(), host.ssh.get("ssh_port", SSH_PORT)
