"""Heartbeat on a node."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import heartbeat, services
from san.observe.sections import UnreadableError, script

_SERVICES = services.shell(
    programs=[heartbeat.PROGRAM], daemons=[heartbeat.DAEMON], units=[heartbeat.UNIT]
)
_MASK = r"s/^\([[:space:]]*stonith_host\([[:space:]]\{1,\}[^[:space:]]*\)\{2\}\).*/\1/"
"""What follows a device's plugin may be a password: it stays on the node."""

_FILES = f"""\
{_SERVICES}
cd {heartbeat.CONFIG} 2>/dev/null || exit 0
if [ -e authkeys ]; then stat -c 'authkeys %a' authkeys; fi
if [ ha.cf -nt {heartbeat.PID_FILE} ]; then echo '{heartbeat.OUTDATED}'; fi
for name in rc.d/san-fence-ask rc.d/san-fence-answer; do
  if [ "$name" -nt {heartbeat.PID_FILE} ]; then echo '{heartbeat.RENEWED}'; fi
done
for name in ha.cf haresources; do
  [ -e "$name" ] || continue
  echo "file $name"
  sed '{_MASK}; s|^|{heartbeat.CONFIG}/'"$name:|" "$name" || exit
done
exit 0
"""


class Heartbeat(FactBase[heartbeat.HeartbeatState]):
    """What runs and starts at boot, nodes and links, resources held, ha.cf and haresources.

    .. code:: python

        state = host.get_fact(Heartbeat)
        if state.holds == "all":
            ...
    """

    def command(self) -> StringCommand:
        """Two calls of cl_status (every node and link in one), one `sed` a file, one `stat`.

        `listnodes -v` costs three quarters of `hbstatus -v`, which looks for Pacemaker first.
        """
        return StringCommand(
            script(
                {
                    "cluster": "cl_status rscstatus; exec cl_status listnodes -v",
                    "files": _FILES,
                }
            )
        )

    def process(self, output: list[str]) -> heartbeat.HeartbeatState:
        """Parse; what can't be understood fails the host."""
        try:
            return heartbeat.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
