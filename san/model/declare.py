"""Fields that say which values they take, and the walk that asks them.

Checks run over the whole tree, from the `Site` down, and not while a leaf is built: only the tree
knows a field's path, and a user wants every finding of a file, not the first. A `Site` runs them
as it is made, so none with a problem exists.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from .problem import Problem, below

Check = Callable[[Any], str | None]
_CHECKS = "san.checks"


def declared(*checks: Check, default: Any = attrs.NOTHING, **more: Any) -> Any:  # noqa: ANN401 (attrs.field's own signature)
    """An attrs field whose value must satisfy `checks`, asked in order up to the first sentence."""
    return attrs.field(default=default, metadata={_CHECKS: checks}, **more)


def problems_of(part: Any) -> Iterator[Problem]:  # noqa: ANN401 (any model class)
    """Every problem of `part` and what it holds, with paths relative to it.

    A class adds what one field alone can't show by a method `problems()`; it is asked only where
    the fields below are sound, so that it need not guard against wrong types.
    """
    sound = True
    for field in attrs.fields(type(part)):
        for problem in _field_problems(field, getattr(part, field.name)):
            sound = False
            yield problem
    own = getattr(part, "problems", None)
    if sound and own is not None:
        yield from own()


def _field_problems(field: "attrs.Attribute[Any]", value: Any) -> Iterator[Problem]:  # noqa: ANN401
    for check in field.metadata.get(_CHECKS, ()):
        sentence = check(value)
        if sentence is not None:
            yield Problem(field.name, sentence)
            return
    if attrs.has(type(value)):
        yield from below(field.name, problems_of(value))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if attrs.has(type(item)):
                yield from below(f"{field.name}[{index}]", problems_of(item))


def shown(value: object) -> str:
    """`value` as a message quotes it: on one line, control characters visible, not too long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def a(kind: type | tuple[type, ...], what: str) -> Check:
    """The value is a `kind`; `what` names it in the message."""

    def check(value: object) -> str | None:
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
            return None
        return f"{shown(value)} is not {what}"

    return check


def many(kind: type | tuple[type, ...], what: str, *, least: int = 0) -> Check:
    """The value is a tuple of at least `least` of `kind`; `what` names them, in the plural."""

    def check(value: object) -> str | None:
        if not isinstance(value, tuple) or not all(isinstance(item, kind) for item in value):
            return f"{shown(value)} is not a tuple of {what}"
        if len(value) < least:
            return f"it has {len(value)} {what}; declare at least {least}"
        return None

    return check


def one_of(*allowed: object) -> Check:
    """The value is one of `allowed`."""

    def check(value: object) -> str | None:
        if value in allowed:
            return None
        return f"{shown(value)} is not one of {', '.join(map(repr, allowed))}"

    return check


def between(least: float, most: float, unit: str) -> Check:
    """The value is a number from `least` to `most`, both included, in `unit`."""

    def check(value: object) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and least <= value <= most:  # type: ignore[operator]  # narrowed by `number`
            return None
        return f"{shown(value)} is not a number of {unit} from {least} to {most}"

    return check


def optional(check: Check) -> Check:
    """None is allowed beside what `check` takes."""
    return lambda value: None if value is None else check(value)


def mapping(keys: Check, values: Check, what: str) -> Check:
    """The value maps what `keys` takes to what `values` takes; `what` names it."""

    def check(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return f"{shown(value)} is not {what}"
        for key, item in value.items():
            sentence = keys(key) or values(item)
            if sentence is not None:
                return f"[{key!r}] {sentence}"
        return None

    return check


def duplicates(names: "list[str]") -> list[str]:
    """The names that stand more than once, in order of their second appearance."""
    return list(dict.fromkeys(name for i, name in enumerate(names) if name in names[:i]))
