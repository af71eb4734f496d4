"""STONITH as cluster-glue knows it (stonith(8)): plugins, their parameters, devices' answers."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .sections import UnreadableError, script, split

LIMIT = 60
"""Seconds for one question: each plugin starts some processes, and a mute BMC takes 20 s."""

_PLUGINS = r"""command -v stonith >/dev/null || exit 127
known=$(stonith -L </dev/null) || exit 1
set -- {plugins}
for plugin do
  case "
$known
" in *"
$plugin
"*) ;; *) echo "absent $plugin"; continue ;; esac
  echo "plugin $plugin"
  for name in $(stonith -t "$plugin" -n </dev/null); do echo "named $name"; done
  stonith -t "$plugin" -m </dev/null | grep -o '<parameter name="[^>]*' |
    sed 's/^[^"]*"\([^"]*\)".*required="1".*/needs \1/; s/^[^"]*"\([^"]*\)".*/takes \1/'
done
exit 0
"""


@attrs.frozen
class Parameters:
    """The parameters of a plugin, by name."""

    named: tuple[str, ...] = ()
    """Those of `stonith -n`: what it needs, and with some plugins what it can do without."""
    required: tuple[str, ...] = ()
    """Those that its description (`stonith -m`) calls required."""
    taken: tuple[str, ...] = ()
    """The others of its description."""

    @property
    def known(self) -> tuple[str, ...]:
        """Every parameter, each once."""
        return tuple(dict.fromkeys((*self.named, *self.required, *self.taken)))

    @property
    def needed(self) -> tuple[str, ...]:
        """What it can't do without: by its description, where that tells them apart."""
        return self.required or self.named


@attrs.frozen
class StonithState:
    """The plugins that were asked for."""

    installed: bool
    """Whether stonith(8) is there."""
    plugins: Mapping[str, Parameters | None] = {}
    """None for a plugin that isn't there."""

    def to_json(self) -> dict[str, Any]:
        """The state in JSON's types."""
        return attrs.asdict(self)


@attrs.frozen
class Answer:
    """What one device said when it was asked, without being fired."""

    node: str
    """Whom it resets."""
    number: int
    """From 1, in the order in which they are tried."""
    plugin: str
    ok: bool
    said: str
    """Why it failed; empty where it answered."""

    def to_json(self) -> dict[str, Any]:
        """The answer in JSON's types."""
        return attrs.asdict(self)


def shell(plugins: Iterable[str]) -> str:
    """The script whose output `parse` reads."""
    return script({"stonith": _PLUGINS.format(plugins=shlex.join(plugins))}, limit=LIMIT)


def parse(output: Iterable[str]) -> StonithState:
    """Read the section `stonith`.

    Example::

        plugin external/rackpdu
        named hostlist
        needs hostlist
        takes outlet_config
        absent external/nothing
    """
    sections = split(output)
    if "stonith" not in sections:
        raise UnreadableError("the plugins' answer lacks its part")
    section = sections["stonith"]
    if section.missing:
        return StonithState(installed=False)
    if section.status:
        raise UnreadableError(f"stonith -L fails with status {section.status}: {section.text}")
    found: dict[str, Parameters | None] = {}
    plugin = ""
    for line in section.lines:
        match line.split(" "):
            case ["absent", name]:
                found[name] = None
            case ["plugin", plugin]:
                found[plugin] = Parameters()
            case ["named", name] if known := found.get(plugin):
                found[plugin] = attrs.evolve(known, named=(*known.named, name))
            case ["needs", name] if known := found.get(plugin):
                found[plugin] = attrs.evolve(known, required=(*known.required, name))
            case ["takes", name] if known := found.get(plugin):
                found[plugin] = attrs.evolve(known, taken=(*known.taken, name))
            case _:
                pass
    return StonithState(installed=True, plugins=found)


def devices_shell(plugin: str) -> str:
    """The script whose output `parse_devices` reads; `plugin` is the path of external/san."""
    return script({"devices": f"exec {shlex.quote(plugin)} test"}, limit=LIMIT)


def parse_devices(output: Iterable[str]) -> tuple[Answer, ...]:
    """Read the section `devices`: a line for each, tabs between its fields.

    Example (tabs shown as spaces)::

        weasel  1  external/ipmi  failed  error executing ipmitool: Error: Unable to …
        weasel  2  meatware       ok
    """
    sections = split(output)
    if "devices" not in sections:
        raise UnreadableError("the devices' answer lacks its part")
    section = sections["devices"]
    rows = [line.split("\t") for line in section.lines if line.count("\t") == _FIELDS - 1]
    if section.status > 1 or not rows:
        said = section.text.strip() or f"status {section.status}"
        raise UnreadableError(f"the devices can't be asked: {said}")
    return tuple(
        Answer(node, int(number), plugin, stand == "ok", said)
        for node, number, plugin, stand, said in rows
    )


_FIELDS = 5
