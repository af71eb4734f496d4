"""STGT on a node."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import services, stgt
from san.observe.sections import UnreadableError, script
from san.render.files import RESOURCE_SCRIPTS

SCRIPT = f"{RESOURCE_SCRIPTS}/iscsi-target"
"""Ours: its `check` knows what tgtadm doesn't tell, such as secrets, write flags and new sizes."""

_SERVICES = services.shell(programs=[stgt.PROGRAM], daemons=[stgt.DAEMON], units=[stgt.UNIT])
_STGT = f"""\
for second in 1 2 3; do
  tgtadm --lld iscsi --op show --mode portal
  status=$?
  if [ $status != {stgt.NOT_CONNECTED} ]; then break; fi
  here=
  for file in /proc/[0-9]*/comm; do name=
    {{ read -r name <"$file"; }} 2>/dev/null
    if [ "$name" = {stgt.DAEMON} ]; then here=yes; fi
  done
  if [ -z "$here" ]; then break; fi
  sleep 1
done
if [ $status = 0 ]; then
  tgtadm --lld iscsi --op show --mode target
  status=$?
  if [ -x {SCRIPT} ]; then
    {SCRIPT} check 2>&1 | while IFS= read -r line; do echo "{stgt.DIFFERS}$line"; done
  fi
fi
{_SERVICES}
exit $status
"""
"""A tgtd that has just been started takes requests after some 100 ms: it gets 3 s. It is looked for
once more after it was asked, so that one which ends meanwhile is stopped, not mute."""


class Stgt(FactBase[stgt.StgtState]):
    """Targets, LUNs, initiators' sessions, ACLs and portals, and what differs from stgt.conf.

    No secrets.

    .. code:: python

        state = host.get_fact(Stgt)
        [lun.path for target in state.targets for lun in target.disks]
    """

    def command(self) -> StringCommand:
        """Two calls of tgtadm and one of our script; one call where tgtd doesn't run."""
        return StringCommand(script({"stgt": _STGT}))

    def process(self, output: list[str]) -> stgt.StgtState:
        """Parse; what can't be understood fails the host."""
        try:
            return stgt.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
