"""IET on a node."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import iet, services
from san.observe.sections import UnreadableError, script

_SERVICES = services.shell(programs=[iet.PROGRAM], daemons=[iet.DAEMON], units=[iet.UNIT])
_STATE = f"""\
{_SERVICES}
if [ -d /sys/module/iscsi_trgt ]; then echo module; fi
for link in /etc/rc[2345].d/S[0-9][0-9]{iet.SCRIPT}; do
  if [ -e "$link" ]; then echo rc; fi
done
for file in {" ".join(iet.CONFIG_FILES)}; do
  if [ -e "$file" ]; then
    echo "file $file"
    exec sed -nE \
      -e '/^[[:space:]]*#/d' \
      -e 's/^([[:space:]]*(Incoming|Outgoing)User[[:space:]]+[^[:space:]]+).*/\\1/I' \
      -e 's/^/:/p' "$file"
  fi
done
"""
"""Of a user's line only the name leaves the node; comments, which may hide one, don't."""


def _read(name: str) -> str:
    """Read a file of /proc that may block for ever, where no signal reaches the reader.

    timeout(1) would wait for a reader that it can't end; but not for one on the other side of a
    pipe, which holds none of this command's own outputs.
    """
    file = f"/proc/net/iet/{name}"
    return f"if [ ! -e {file} ]; then exit {iet.ABSENT}; fi; cat {file} 2>/dev/null | cat"


class Iet(FactBase[iet.IetState]):
    """Module, daemon, targets, LUNs and sessions of the kernel, and ietd.conf; no secrets.

    .. code:: python

        state = host.get_fact(Iet)
        if state.targets is None:
            ...  # the kernel does not answer: I/O is stuck
    """

    def command(self) -> StringCommand:
        """Two files of /proc, each within a time limit, and one `sed`."""
        return StringCommand(
            script({"volume": _read("volume"), "session": _read("session"), "state": _STATE})
        )

    def process(self, output: list[str]) -> iet.IetState:
        """Parse; what can't be understood fails the host."""
        try:
            return iet.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
