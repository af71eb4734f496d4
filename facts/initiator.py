"""open-iscsi and multipath on a client."""

import re

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import initiator, services
from san.observe.sections import UnreadableError, script

_SERVICES = services.shell(
    programs=initiator.PROGRAMS, daemons=initiator.DAEMONS, units=initiator.UNITS
)
_WANTED = "|".join(["InitiatorName", *(re.escape(key) for key in initiator.KEYS)])
_INITIATOR = f"""\
{_SERVICES}
get() {{ value=; {{ read -r value <"$1"; }} 2>/dev/null; }}
credentials() {{ # RECORD: sets user and password as sysfs has those of a session
  user='(null)' password='(null)'
  while read -r key _ value; do
    case $key in
    node.session.auth.username) user=$value ;;
    node.session.auth.password) password=$value ;;
    esac
  done <"$1"
}}
records={initiator.RECORDS[0]}
if program=$(command -v iscsiadm) && grep -q {initiator.RECORDS[1]} "$program"; then
  records={initiator.RECORDS[1]}
  echo "records $records"
fi
for session in /sys/class/iscsi_session/session*; do
  if [ ! -e "$session" ]; then continue; fi
  sid=${{session##*/session}}
  connection=/sys/class/iscsi_connection/connection$sid:0
  line="session $sid"
  for file in "$session/state" "$connection/persistent_address" "$connection/persistent_port" \
      "$session/recovery_tmo" "$session/targetname"; do
    get "$file"
    line="$line $value"
  done
  echo "$line"
  # Its own record alone: another one, of an older login, is no word on this.
  record=$records/$value
  get "$connection/persistent_address"
  record=$record/$value
  get "$connection/persistent_port"
  record=$record,$value
  get "$session/tpgt"
  record=$record,$value
  get "$session/ifacename"
  record=$record/$value
  if [ -f "$record" ]; then
    credentials "$record"
    get "$session/username"
    if [ "$value" != "$user" ]; then echo "outdated $sid"; fi
    get "$session/password"
    if [ "$value" != "$password" ]; then echo "outdated $sid"; fi
  fi
  for disk in "$session"/device/target*/*/block/*; do
    if [ -e "$disk" ]; then echo "disk $sid ${{disk##*/}}"; fi
  done
done
set --
for file in {initiator.NAME_FILE} {initiator.SETTINGS_FILE} {initiator.MULTIPATH_FILE} \
    {" ".join(initiator.RECORDS)}; do
  if [ -e "$file" ]; then
    echo "file $file"
    if [ "$file" != {initiator.MULTIPATH_FILE} ]; then set -- "$@" "$file"; fi
  fi
done
if [ $# = 0 ]; then exit 0; fi
exec grep -rHE '^[[:space:]]*({_WANTED})[[:space:]]*=' "$@"
"""


class Initiator(FactBase[initiator.InitiatorState]):
    """The initiator's name and settings, node records, sessions and multipath maps; no secrets.

    .. code:: python

        state = host.get_fact(Initiator)
        {(session.target, session.address) for session in state.sessions if session.logged_in}
    """

    def command(self) -> StringCommand:
        """Two calls of `grep`, one of `multipathd`; the rest are builtins.

        The settings' lines alone are read. Where the records are is built into iscsiadm, which
        tells it in no other way.
        """
        return StringCommand(
            script({"initiator": _INITIATOR, "maps": "exec multipathd show maps json"})
        )

    def process(self, output: list[str]) -> initiator.InitiatorState:
        """Parse; what can't be understood fails the host."""
        try:
            return initiator.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
