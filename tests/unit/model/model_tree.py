"""A site with one thing changed, and what it then says."""

import re

import attrs

from san.model import InventoryError, Site

STEP = re.compile(r"(\w+)|\[(\d+)\]")


def put(part, path, value):
    """A copy of `part` with `value` at `path`, such as `nodes[0].name`."""
    steps = [int(index) if index else name for name, index in STEP.findall(path)]
    return _put(part, steps, value)


def _put(part, steps, value):
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        return (*part[:step], _put(part[step], rest, value), *part[step + 1 :])
    return attrs.evolve(part, **{step: _put(getattr(part, step), rest, value)})


def paths(part, prefix=""):
    """The path of every field below `part`, and of every item of its tuples."""
    for field in attrs.fields(type(part)):
        path = f"{prefix}.{field.name}".lstrip(".")
        value = getattr(part, field.name)
        yield path
        if attrs.has(type(value)):
            yield from paths(value, path)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                yield f"{path}[{index}]"
                if attrs.has(type(item)):
                    yield from paths(item, f"{path}[{index}]")


def problems(*clusters):
    """What a site of these clusters says, as `path: sentence`; nothing where it is sound."""
    try:
        Site(clusters=clusters)
    except InventoryError as error:
        return [str(problem).removeprefix("clusters[0].") for problem in error.problems]
    return []
