"""Fields that say which values they take, and the walk that asks them.

Checks run over the whole tree, from the `Site` down, and not while a leaf is built: only the tree
knows a field's path, and a user wants every finding of a file, not the first. A `Site` runs them
as it is made, so none with a problem exists.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from .problem import Problem, below

Check = Callable[[Any], str | Problem | None]
"""Asks a value: None where it is sound, else a sentence, or a Problem with a path below the value.
A check takes a value of whatever type."""

_CHECKS = "san.checks"
_SHOWN_MAX = 60
"""Characters of a value that a message quotes."""


def declared(*checks: Check, default: Any = attrs.NOTHING, **more: Any) -> Any:  # noqa: ANN401 (attrs.field's own signature)
    """An attrs field whose value must satisfy `checks`, asked in order up to the first finding."""
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


def takes(kind: type, name: str, value: object) -> bool:
    """Whether the field `name` of the model class `kind` takes `value`."""
    checks = attrs.fields_dict(kind)[name].metadata.get(_CHECKS, ())
    return all(check(value) is None for check in checks)


def _field_problems(field: "attrs.Attribute[Any]", value: Any) -> Iterator[Problem]:  # noqa: ANN401
    for check in field.metadata.get(_CHECKS, ()):
        found = check(value)
        if found is not None:
            yield from below(field.name, [_problem("", found)])
            return
    for path, part in _held(value):
        yield from below(f"{field.name}{path}", problems_of(part))


def parts_of(part: Any) -> Iterator[Any]:  # noqa: ANN401 (any model class)
    """Every model object below `part`, and itself, whether sound or not."""
    yield part
    for field in attrs.fields(type(part)):
        for _, held in _held(getattr(part, field.name)):
            yield from parts_of(held)


def _held(value: object) -> Iterator[tuple[str, Any]]:
    """The model objects that a field's value is or holds, each with its path in it."""
    if attrs.has(type(value)):
        yield "", value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if attrs.has(type(item)):
                yield f"[{index}]", item
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if attrs.has(type(item)):
                yield f"[{shown(key)}]", item


def _problem(path: str, found: str | Problem) -> Problem:
    if isinstance(found, Problem):
        return Problem(path + found.path, found.sentence)
    return Problem(path, found)


def shown(value: object) -> str:
    """`value` as a message quotes it: on one line, control characters visible, not too long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 (a repr may raise anything, from a huge int's ValueError on)
        return f"an unprintable {type(value).__name__}"
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


def a(kind: type | tuple[type, ...], what: str) -> Check:
    """The value is a `kind`; `what` names it. The message shows no value: it may hold a secret."""

    def check(value: object) -> str | None:
        if isinstance(value, kind):
            return None
        return f"it is of type {type(value).__name__}, not {what}"

    return check


def many(kind: type | tuple[type, ...], what: str, *, least: int = 0) -> Check:
    """The value is a tuple of at least `least` of `kind`; `what` names them, in the plural."""

    def check(value: object) -> str | Problem | None:
        if not isinstance(value, tuple):
            found = type(value).__name__
            return f"it is of type {found}, not a tuple of {what}; write (…,), with the comma"
        for index, item in enumerate(value):
            if not isinstance(item, kind):
                found = type(item).__name__
                return Problem(f"[{index}]", f"it is of type {found}; here stand {what}")
        if len(value) < least:
            return f"it has {len(value)} {what}; declare at least {least}"
        return None

    return check


def one_of(*allowed: object) -> Check:
    """The value is one of `allowed`, and of its type: 9600.0 is not 9600, and 1 is not True."""

    def check(value: object) -> str | None:
        if any(type(value) is type(item) and value == item for item in allowed):
            return None
        return f"{shown(value)} is not one of {', '.join(map(repr, allowed))}"

    return check


def whole(least: int, most: int, what: str) -> Check:
    """The value is a whole number from `least` to `most`, both included; `what` says of what."""

    def check(value: object) -> str | None:
        if type(value) is int and least <= value <= most:
            return None
        return f"{shown(value)} is not {what}: write a whole number from {least} to {most}"

    return check


def seconds(least: float, most: float) -> Check:
    """The value is a time in seconds from `least` to `most`, in whole milliseconds."""
    return _time(least, most, 3, "a millisecond, which ha.cf can't carry")


def tenths(least: float, most: float) -> Check:
    """The value is a time in seconds from `least` to `most`, in whole tenths of one."""
    return _time(least, most, 1, "a tenth of a second, which drbd.conf can't carry")


def _time(least: float, most: float, digits: int, grain: str) -> Check:
    def check(value: object) -> str | None:
        # The range comes first: it stops infinities, NaN and ints that no float can hold.
        if type(value) in (int, float) and least <= value <= most:  # type: ignore[operator]
            if round(value, digits) == value:  # type: ignore[call-overload]
                return None
            return f"{shown(value)} s is finer than {grain}"
        return f"{shown(value)} is not a time: write seconds, a number from {least} to {most}"

    return check


def optional(check: Check) -> Check:
    """None is allowed beside what `check` takes."""
    return lambda value: None if value is None else check(value)


def each(check: Check) -> Check:
    """Every item of the tuple satisfies `check`."""

    def check_items(value: Iterable[object]) -> str | Problem | None:
        for index, item in enumerate(value):
            found = check(item)
            if found is not None:
                return _problem(f"[{index}]", found)
        return None

    return check_items


def mapping(keys: Check, values: Check, what: str) -> Check:
    """The value maps what `keys` takes to what `values` takes; `what` names it."""

    def check(value: object) -> str | Problem | None:
        if not isinstance(value, Mapping):
            return f"it is of type {type(value).__name__}, not {what}"
        for key, item in value.items():
            found = keys(key) or values(item)
            if found is not None:
                return _problem(f"[{shown(key)}]", found)
        return None

    return check


def duplicates(names: Iterable[object]) -> list[object]:
    """What stands more than once, in order of its second appearance."""
    seen: set[object] = set()
    twice: dict[object, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)
