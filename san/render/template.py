"""The templates: one for each file, looking like the file they make."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def _seconds(value: float) -> str:
    """A time as ha.cf(5) writes it: whole seconds, else milliseconds."""
    return str(int(value)) if value == int(value) else f"{round(value * 1000)}ms"


def _tenths(value: float) -> int:
    """A time as drbd.conf(5) writes its timeouts."""
    return round(value * 10)


def _plain(value: float) -> str:
    """A number for people: 2 and not 2.0."""
    return f"{value:g}"


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 (configuration files; the model refuses what they can't carry)
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters |= {"seconds": _seconds, "tenths": _tenths, "plain": _plain}


def text(template: str, **values: object) -> str:
    """The text that `template` makes of `values`; an undefined name is an error."""
    return _environment.get_template(template).render(values)


@cache
def raw(template: str) -> str:
    """The text of a template that takes nothing: a script in its own right."""
    return (TEMPLATES / template).read_text(encoding="utf-8")
