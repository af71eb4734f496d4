"""One run at a time on a cluster.

The lock belongs to the SSH connection of the run that took it: when pyinfra ends, is killed, or
loses its network, the node's sshd for that connection ends too, and with it the lock. So nothing
has to be released, and no run is refused for a lock that a dead one left.
"""

import getpass
import os
import socket
from datetime import UTC, datetime

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.host import Host

from operations.transfer import connection
from san.decide.refusal import Refusal

HELD = 3
"""Exit status: another run holds the lock; standard output says which."""

_TAKE = f"""\
set -eu
lock=/run/san.lock
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
fi
umask 022
printf '%s\\n%s\\n' "$mine" "$1" > "$lock.new"
mv -f "$lock.new" "$lock"
"""
"""Builtins read /proc: each process would cost as much as all the rest."""


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
        return
    if output.stdout:
        raise Refusal(f"another run holds the cluster's lock: {output.stdout}; wait for its end")
    said = " ".join(output.stderr_lines) or "it got no answer"
    raise Refusal(f"it can't take the cluster's lock, /run/san.lock: {said}")
