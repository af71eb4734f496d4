"""Fields that say which values they take, and the walk that asks them.

Checks run over the whole tree, from the `Site` down, and not while a leaf is built: only the tree
knows a field's path, and a user wants every finding of a file, not the first. A `Site` runs them
as it is made, so none with a problem exists.

A class's rules are asked of a copy in which `UNSOUND` stands for each value that has a finding: a
rule that needs such a value ends there, and all the others speak.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from .problem import Problem, below

Finding = str | Problem | tuple[Problem, ...] | None
Check = Callable[[Any], Finding]
"""Asks a value: None where it is sound, else a sentence, or Problems with paths below the value.
A check takes a value of whatever type."""

_CHECKS = "san.checks"
_SHOWN_MAX = 60
"""Characters of a value that a message quotes."""


def declared(*checks: Check, default: Any = attrs.NOTHING, **more: Any) -> Any:  # noqa: ANN401 (attrs.field's own signature)
    """An attrs field whose value must satisfy `checks`, asked in order up to the first finding."""
    return attrs.field(default=default, metadata={_CHECKS: checks}, **more)


class UnsoundError(TypeError):
    """A rule needs a value that has a finding of its own."""


def _touched(*_: object) -> Any:  # noqa: ANN401 (it never returns)
    raise UnsoundError


class _Unsound:
    """Stands for a value that no rule may lean on; only its type and identity can be asked for."""

    __slots__ = ()
    __getattr__ = __str__ = __repr__ = __format__ = __bool__ = __hash__ = _touched
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _touched
    __len__ = __iter__ = __contains__ = __getitem__ = _touched
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __round__ = _touched


UNSOUND: Any = _Unsound()


def problems_of(part: Any) -> Iterator[Problem]:  # noqa: ANN401 (any model class)
    """Every problem of `part` and what it holds, with paths relative to it.

    A class adds what one field alone can't show by a method `problems()`.
    """
    return iter(_examined(part)[0])


def _examined(part: Any) -> tuple[list[Problem], Any]:  # noqa: ANN401
    """The problems of `part`, and what rules may see of it."""
    found: list[Problem] = []
    seen = object.__new__(type(part))
    for field in attrs.fields(type(part)):
        problems, value = _examined_field(field, getattr(part, field.name))
        found += below(field.name, problems)
        object.__setattr__(seen, field.name, value)
    rules = getattr(seen, "problems", None)
    if rules is not None:
        found += independent(seen, _asked(rules))
    return found, seen


def _asked(rules: Callable[[], Iterator[Problem]]) -> Iterator[Problem]:
    yield from rules()


def independent(part: Any, *rules: Iterator[Problem]) -> Iterator[Problem]:  # noqa: ANN401
    """What `rules` over `part` find; one that needs an unsound value says nothing more."""
    for rule in rules:
        try:
            yield from rule
        except TypeError:  # also from C: re can't search UNSOUND
            if all(is_sound(each) for each in _values(part)):
                raise


def is_sound(value: object) -> bool:
    """Whether a rule may look at `value`: it has no finding of its own."""
    return value is not UNSOUND


def sound(parts: Iterable[Any], name: str) -> Iterator[Any]:
    """The attribute `name` of each of `parts`, where it can be looked at."""
    values = (getattr(part, name) for part in parts if is_sound(part))
    return (value for value in values if is_sound(value))


def _values(part: Any) -> Iterator[object]:  # noqa: ANN401
    """Every value of every field of `part` and of what it holds."""
    for each in parts_of(part):
        for field in attrs.fields(type(each)):
            value = getattr(each, field.name)
            yield value
            if isinstance(value, tuple):
                yield from value
            elif isinstance(value, Mapping):
                yield from value.values()


def takes(kind: type, name: str, value: object) -> bool:
    """Whether the field `name` of the model class `kind` takes `value`."""
    checks = attrs.fields_dict(kind)[name].metadata.get(_CHECKS, ())
    return not any(check(value) for check in checks)


def _examined_field(field: "attrs.Attribute[Any]", value: Any) -> tuple[list[Problem], Any]:  # noqa: ANN401
    """The problems of a field's value, with paths below it, and what rules may see of it."""
    found: list[Problem] = []
    for check in field.metadata.get(_CHECKS, ()):
        said = _problems("", check(value))
        found += said
        value = _without(value, {problem.path for problem in said})
        if value is UNSOUND:
            return found, value
    seen = {}
    for path, part in _held(value):
        problems, seen[path] = _examined(part)
        found += below(path, problems)
    return found, _replaced(value, seen)


def _without(value: Any, blamed: set[str]) -> Any:  # noqa: ANN401
    """`value` with UNSOUND in place of its items at the paths `blamed`, or of all of it."""
    items = {
        item: UNSOUND
        for item in _item_paths(value)
        if any(path.startswith(item) for path in blamed)
    }
    return UNSOUND if "" in blamed or (blamed and not items) else _replaced(value, items)


def _item_paths(value: object) -> Iterator[str]:
    if isinstance(value, tuple):
        yield from (f"[{index}]" for index in range(len(value)))
    elif isinstance(value, Mapping):
        yield from (f"[{shown(key)}]" for key in value)


def _replaced(value: Any, items: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """`value` with other items at some of its paths."""
    if not items:
        return value
    if isinstance(value, tuple):
        return tuple(items.get(f"[{index}]", item) for index, item in enumerate(value))
    if isinstance(value, Mapping):
        return {key: items.get(f"[{shown(key)}]", item) for key, item in value.items()}
    return items.get("", value)


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


def _problems(path: str, found: Finding) -> tuple[Problem, ...]:
    """What a check found of the value at `path`."""
    if found is None:
        return ()
    if isinstance(found, str):
        return (Problem(path, found),)
    several = (found,) if isinstance(found, Problem) else found
    return tuple(Problem(path + problem.path, problem.sentence) for problem in several)


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

    def check(value: object) -> Finding:
        if not isinstance(value, tuple):
            found = type(value).__name__
            return f"it is of type {found}, not a tuple of {what}; write (…,), with the comma"
        if len(value) < least:
            return f"it has {len(value)} {what}; declare at least {least}"
        return tuple(
            Problem(f"[{index}]", f"it is of type {type(item).__name__}; here stand {what}")
            for index, item in enumerate(value)
            if not isinstance(item, kind)
        )

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

    def check_items(value: Iterable[object]) -> Finding:
        return tuple(
            problem
            for index, item in enumerate(value)
            if is_sound(item)
            for problem in _problems(f"[{index}]", check(item))
        )

    return check_items


def mapping(keys: Check, values: Check, what: str) -> Check:
    """The value maps what `keys` takes to what `values` takes; `what` names it."""

    def check(value: object) -> Finding:
        if not isinstance(value, Mapping):
            return f"it is of type {type(value).__name__}, not {what}"
        return tuple(
            problem
            for key, item in value.items()
            for problem in _problems(f"[{shown(key)}]", keys(key) or values(item))
        )

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
