"""Which programs are there, which daemons run, which units start at boot: by shell builtins alone.

`systemctl`, `pidof` and `pgrep` are processes, and systemd does not know a daemon that a resource
script started; /proc and the unit directories know both.
"""

import shlex
from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

Boot = Literal["absent", "disabled", "enabled", "masked"]
"""`absent`: no such unit; `disabled`: nothing starts it at boot; `masked`: nothing can."""

_BOOT: Mapping[str, Boot] = {
    "absent": "absent",
    "disabled": "disabled",
    "enabled": "enabled",
    "masked": "masked",
}

_DAEMONS = """\
for file in /proc/[0-9]*/comm; do name=
  {{ read -r name <"$file"; }} 2>/dev/null
  for wanted in {names}; do
    if [ "$name" = "$wanted" ]; then echo "daemon $name"; fi
  done
done
"""

_PROGRAMS = """\
for program in {names}; do
  if command -v "$program" >/dev/null; then echo "program $program"; fi
done
"""

_UNITS = """\
for unit in {names}; do state=absent
  for dir in /etc/systemd/system /lib/systemd/system /usr/lib/systemd/system; do
    if [ -e "$dir/$unit" ]; then state=disabled; fi
  done
  for link in /etc/systemd/system/*.wants/"$unit" /etc/systemd/system/*.requires/"$unit"; do
    if [ -L "$link" ]; then state=enabled; fi
  done
  if [ "/etc/systemd/system/$unit" -ef /dev/null ]; then state=masked; fi
  echo "unit $unit $state"
done
"""


@attrs.frozen
class Services:
    """The programs found, the daemons that run, by process name, and the units by name.

    A program that is found and can't be run (a missing library) has status 127 too, so that status
    alone does not tell 'not installed'.
    """

    programs: frozenset[str]
    running: frozenset[str]
    boot: Mapping[str, Boot]

    def enabled(self, unit: str) -> bool:
        """Whether `unit` starts at boot."""
        return self.boot.get(unit) == "enabled"


def shell(
    *, programs: Iterable[str] = (), daemons: Iterable[str] = (), units: Iterable[str] = ()
) -> str:
    """The text for `sh` whose output `parse` reads; names of daemons have 15 bytes at most."""
    text = ""
    if programs:
        text += _PROGRAMS.format(names=shlex.join(programs))
    if daemons:
        text += _DAEMONS.format(names=shlex.join(daemons))
    if units:
        text += _UNITS.format(names=shlex.join(units))
    return text


def parse(lines: Iterable[str]) -> Services:
    """Read what `shell` printed, among any other lines.

    Example::

        program cl_status
        daemon heartbeat
        unit heartbeat.service disabled
    """
    programs: set[str] = set()
    running: set[str] = set()
    boot: dict[str, Boot] = {}
    for line in lines:
        match line.split(" "):
            case ["program", name]:
                programs.add(name)
            case ["daemon", name]:
                running.add(name)
            case ["unit", name, state] if state in _BOOT:
                boot[name] = _BOOT[state]
            case _:
                pass
    return Services(frozenset(programs), frozenset(running), boot)
