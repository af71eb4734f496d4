"""Drills on disk, each beside its logs, so that a campaign goes on where it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from .results import Drill

NAME = "drill.json"


def write(drill: Drill, out: Path) -> None:
    """Keep a drill, in place of an earlier one of the same fault, depth and STONITH."""
    path = directory(out, drill.depth, fenced=drill.fenced) / f"drill-{drill.fault}" / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    staged.write_text(json.dumps(attrs.asdict(drill)) + "\n")
    staged.rename(path)


def read(out: Path) -> tuple[Drill, ...]:
    """All drills that were kept; what another version wrote, and can't be read, is none."""
    return tuple(drill for path in sorted(out.rglob(NAME)) if (drill := _read(path)) is not None)


def directory(out: Path, depth: int, *, fenced: bool) -> Path:
    """Where drills of a depth are, those with STONITH apart."""
    return (out / "stonith" if fenced else out) / f"depth-{depth}"


def _read(path: Path) -> Drill | None:
    try:
        drill: Drill = _made(Drill, json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError):
        return None
    return drill


def _made(kind: Any, value: Any) -> Any:  # noqa: ANN401 (a type hint, and what JSON holds)
    """Make of plain data what a type hint says, as `attrs.asdict` has taken it apart."""
    made: Any = value
    of = get_args(kind)
    if attrs.has(kind):
        hints = get_type_hints(kind)
        names = [one.name for one in attrs.fields(kind)]
        made = kind(**{name: _made(hints[name], value[name]) for name in names})
    elif get_origin(kind) is UnionType:  # X | None
        made = None if value is None else _made(of[0], value)
    elif get_origin(kind) is tuple:
        kinds = of[:1] * len(value) if of[-1] is Ellipsis else of
        made = tuple(_made(one, item) for one, item in zip(kinds, value, strict=True))
    elif get_origin(kind) is Mapping:
        made = {key: _made(of[1], item) for key, item in value.items()}
    return made
