"""One run at a time on a cluster.

The lock belongs to the SSH connection of the run that took it: when pyinfra ends, is killed, or
loses its network, the node's sshd for that connection ends too, and with it the lock. So nothing
has to be released, and no run is refused for a lock that a dead one left.

A command may outlive its connection. Each one that changes something holds the lock's file shared
(flock(1)) while it works, and acts only where that file still names its run; the next run takes the
file only where it can have it alone. So one of them comes first, and the other sees it.
"""

import getpass
import os
import socket
from datetime import UTC, datetime
from typing import TypeVar

from pyinfra.api.command import PyinfraCommand, QuoteString, StringCommand
from pyinfra.api.host import Host

from operations.connection import connection
from san.decide.refusal import Refusal

HELD = 3
"""Exit status: another run holds the lock; standard output says which."""

LOCK = "/run/san.lock"

_TAKE = f"""\
set -eu
lock={LOCK}
look() {{ # PID: sets parent, and started, which is empty where there is no such process
    parent=0 started=
    if {{ read -r line < "/proc/$1/stat"; }} 2>/dev/null; then
        set -- ${{line##*) }}
        parent=$2 started=${{20}}
    fi
}}
owner=$$
look "$owner"
while [ "$owner" -gt 1 ]; do
    read -r name < "/proc/$owner/comm"
    case $name in sshd*|pyinfra*|python*) break ;; esac
    owner=$parent
    look "$owner"
done
mine="$owner $started"
exec 9>"$lock.guard"
flock -w 10 9
if [ -s "$lock" ]; then
    {{ read -r pid start && read -r holder; }} < "$lock"
    look "$pid"
    if [ "$pid $start" != "$mine" ] && [ "$started" = "$start" ]; then
        echo "$holder"
        exit {HELD}
    fi
    exec 8< "$lock"
    if ! flock -w 2 8; then
        echo "$holder; a command of it still runs"
        exit {HELD}
    fi
fi
umask 022
printf '%s\\n%s\\n' "$mine" "$1" > "$lock.new"
mv -f "$lock.new" "$lock"
echo "$mine"
"""
"""Builtins read /proc: each process would cost as much as all the rest."""

_UNDER = f"""\
read -r owner < {LOCK}
if [ "$owner" != "$0" ]; then
    echo 'another run has taken the lock meanwhile: nothing was done' >&2
    exit {HELD}
fi
"""
"""Before a command, which follows; $0 is the run that it belongs to."""

_owners: dict[str, str] = {}
"""The process and the start of the connection that holds the lock, by host."""


def holder() -> str:
    """Who this run is, as a second run is told."""
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()}) since {since}"


def take(node: Host) -> None:
    """Take the lock on `node` for as long as this connection lasts, within an operation.

    Raises Refusal with who holds it.
    """
    taken, output = node.run_shell_command(
        StringCommand("sh", "-c", QuoteString(_TAKE), "san-lock", QuoteString(holder())),
        print_output=node.state.print_output,
        print_input=node.state.print_input,
        **connection(node),  # with sudo, for one: the lock is root's
    )
    if taken:
        _owners[node.name] = output.stdout.strip()
        return
    if output.stdout:
        raise Refusal(f"another run holds the cluster's lock: {output.stdout}; wait for its end")
    said = " ".join(output.stderr_lines) or "it got no answer"
    raise Refusal(f"it can't take the cluster's lock, {LOCK}: {said}")


C = TypeVar("C", bound=PyinfraCommand)


def under(node: Host, command: C) -> C | StringCommand:
    """`command` as it runs on `node` while this run has the lock there, and only then.

    Where the run took no lock (on a client), it is the command itself.
    """
    owner = _owners.get(node.name)
    if owner is None or not isinstance(command, StringCommand):
        return command
    script = StringCommand(_UNDER, command, _separator="")
    # --close: a daemon that the command leaves behind doesn't hold it for ever.
    words = ("flock", "--shared", "--close", LOCK, "sh", "-c", QuoteString(script))
    return StringCommand(*words, QuoteString(owner), **command.connector_arguments)
