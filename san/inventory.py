"""An inventory file, executed as pyinfra executes it, and the site it declares."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from san.model import InventoryError, Problem, Site
from san.model.site import errors_kept


def load(inventory: Path) -> Site:
    """The site of an inventory file.

    Raises InventoryError with what is wrong: in the site, or in the file as Python.
    """
    with errors_kept() as errors:
        try:
            values = _execute(inventory)
        except InventoryError:
            if errors:  # what is wrong with the site may be why the rest can't be executed
                raise errors[0] from None
            raise
    sites = [value for value in values.values() if isinstance(value, Site)]
    site = values.get("site", sites[0] if len(sites) == 1 else None)
    if not isinstance(site, Site):
        raise _error(inventory, f"it declares {len(sites)} sites; write one: site = Site(…)")
    problems = [problem for error in errors for problem in error.problems]
    problems += _ungrouped(site, values)
    if problems:
        raise InventoryError(problems, site)
    return site


def _ungrouped(site: Site, values: dict[str, Any]) -> Iterator[Problem]:
    """The site's hosts that are in no group, so that pyinfra wouldn't know them."""
    for group, line in (
        ("nodes", "nodes = site.nodes()"),
        ("clients", "clients = site.initiators()"),
    ):
        known = _grouped(values.get(group))
        for cluster in site.clusters if isinstance(site.clusters, tuple) else ():
            hosts = getattr(cluster, group, ())
            for host in hosts if isinstance(hosts, tuple) else ():
                name = getattr(host, "name", None)
                if isinstance(name, str) and name not in known:
                    yield Problem(group, f"{name} is not in it; write {line}")


def _grouped(group: object) -> list[object]:
    """The hosts of a group: names, or names with data; the whole may carry data, too."""
    hosts = group[0] if isinstance(group, tuple) and group else group
    if not isinstance(hosts, list):
        return []
    return [host[0] if isinstance(host, tuple) and host else host for host in hosts]


def _execute(inventory: Path) -> dict[str, Any]:
    """The module-level names of the file."""
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # pyinfra's own, for modules beside the inventory
    try:
        source = inventory.read_text(encoding="utf-8")
    except OSError as error:
        raise _error(inventory, f"it can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _error(inventory, "it is not UTF-8 text") from None
    values: dict[str, Any] = {"__file__": str(inventory)}
    try:
        with redirect_stdout(sys.stderr):  # standard output is for the answer, such as JSON
            exec(compile(source, str(inventory), "exec"), values)  # noqa: S102 (as pyinfra does)
    except InventoryError:
        raise
    except SystemExit:
        raise _error(inventory, "it ends the program; remove that call") from None
    except Exception as error:  # noqa: BLE001 (a user's program may raise anything)
        line = _line(error, str(inventory))
        raise _error(f"{inventory}:{line}", _sentence(error)) from None
    return values


def _error(path: object, sentence: str) -> InventoryError:
    return InventoryError([Problem(str(path), sentence)])


def _line(error: Exception, filename: str) -> int:
    """The line of `filename` that `error` comes from."""
    if isinstance(error, SyntaxError) and error.filename == filename and error.lineno:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 1 for f in reversed(frames) if f.filename == filename), 1)


def _sentence(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())}"
