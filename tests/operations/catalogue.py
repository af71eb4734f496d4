"""docs/reference.md, written from the code: docstrings, and what each operation reaches.

`python tests/operations/catalogue.py` writes it anew; a test compares.
"""

import ast
import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference.md"

PAGES = ("deploy.py", "upgrade.py", "recover.py")

HEAD = """\
# Reference

Facts and operations, as the code has them. Written by `tests/operations/catalogue.py` from the
docstrings and from what each operation's code reaches; a test keeps it so.

Facts may be asked for on their own: `pyinfra inventory.py fact facts.lvm.Lvm`, and
`… fact facts.drbd.Drbd` for the DRBD resources that the inventory gives the host. Operations read
facts through `operations.observation`, which asks each host once and again after every change; a
phase that finds nothing to do runs no command.
"""


@cache
def tree(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def modules(folder):
    return sorted(path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")


# --- What a function reaches ----------------------------------------------------------------------


@cache
def functions():
    """Functions by module and name, of operations and of the decisions."""
    return {
        (f"{package}.{module}", node.name): node
        for package in ("operations", "san.decide")
        for module in modules(package.replace(".", "/"))
        for node in tree(f"{package.replace('.', '/')}/{module}.py").body
        if isinstance(node, ast.FunctionDef)
    }


@cache
def names(module):
    """What a module's names stand for: a module and a name in it."""
    found = {name: (module, name) for (where, name) in functions() if where == module}
    for node in tree(f"{module.replace('.', '/')}.py").body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                source = f"{'san.decide.' * bool(node.level)}{node.module}"
                found[alias.asname or alias.name] = (source, alias.name)
    return found


def used(module, node):
    """The names that a function uses, resolved."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            source, name = names(module).get(inner.value.id, ("", ""))
            yield f"{source}.{name}", inner.attr
        elif isinstance(inner, ast.Name) and inner.id in names(module):
            yield names(module)[inner.id]


def reach(module, name):
    """All that a function uses, and what that uses in turn."""
    seen, left = set(), [(module, name)]
    while left:
        key = left.pop()
        if key in seen:
            continue
        seen.add(key)
        if key in functions():
            left += used(key[0], functions()[key])
    return seen


# --- What an operation runs -----------------------------------------------------------------------


def runs(module, name):
    """The commands that an operation yields, by their first words; also by its helpers."""
    key = f"operations.{module}"
    source = import_module(key)
    function = functions()[key, name]
    yield from installed(function)
    for node in ast.walk(function):
        match node:
            case ast.YieldFrom(value=ast.Call(func=ast.Name(id=helper), args=given)):
                yield from helped(*names(key)[helper])
                for each in given:
                    yield from decided(set(used(key, each)))
            case ast.Call(func=ast.Name(id="StringCommand"), args=words):
                yield quoted(source, words)
            case ast.Tuple(elts=[ast.Name(), *_]) | ast.List(elts=[ast.Name(), *_]):
                yield quoted(source, node.elts)
            case ast.Call(func=ast.Name(id="drbdadm"), args=[ast.Constant(value=verb), *_]):
                yield f"`drbdadm {verb}`"
            case ast.Name(id="APT" | "apt_install"):
                yield "`apt-get install`"
            case ast.Name(id="_READERS"):
                yield from (f"`{' '.join(words)}`" for words in source._READERS.values())
            case ast.For(iter=ast.Call(func=called)) if any(
                isinstance(inner, ast.Yield) for inner in ast.walk(node)
            ):
                yield from decided(set(used(key, called)))


def installed(function):
    """The files that it puts in place, not those that it only compares."""
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Name) and node.id == "install" for node in nodes):
        for node in nodes:
            match node:
                case ast.Call(func=ast.Name(id="differing"), args=[ast.Constant(value=area)]):
                    yield f"installation of the `{area}` files that differ"


def helped(where, name):
    """The same of a helper, if it is one of the operations' own."""
    if where.startswith("operations.") and (where, name) in functions():
        yield from runs(where.removeprefix("operations."), name)


def decided(keys):
    """The commands that a decision gives."""
    for key in sorted(keys & functions().keys()):
        if not key[0].startswith("san.decide"):
            continue
        there = reach(*key) & functions().keys()
        found = [
            quoted(None, node.elts)
            for each in sorted(there)
            for node in ast.walk(functions()[each])
            if isinstance(node, ast.Tuple) and is_command(node.elts)
        ]
        if key[0] == "san.decide.group":
            found = ["a resource script's `start`"]
        yield from found


TOOLS = {"drbdadm", "ip", "sysctl", "pvcreate", "vgcreate", "vgextend", "lvcreate", "lvextend"}


def is_command(words):
    return bool(words) and isinstance(words[0], ast.Constant) and words[0].value in TOOLS


def quoted(source, words):
    """A command up to its first word that isn't the same each time."""
    texts = []
    for word in words:
        if isinstance(word, ast.Constant):
            texts += str(word.value).split()
        elif isinstance(word, ast.Name) and isinstance(getattr(source, word.id, None), str):
            texts.append(getattr(source, word.id))
        else:
            break
    texts = [text for text in texts if not re.match(r"[A-Z_]+=|--quiet|[|>:]|2>", text)]
    return f"`{' '.join(texts)}`" if texts else ""


# --- The page -------------------------------------------------------------------------------------


def plain(text):
    return re.sub(r"``(.+?)``", r"`\1`", inspect.cleandoc(text or ""))


def facts():
    yield "\n## Facts\n"
    for module in modules("facts"):
        source = import_module(f"facts.{module}")
        for node in tree(f"facts/{module}.py").body:
            fact = getattr(source, node.name) if isinstance(node, ast.ClassDef) else None
            if not hasattr(fact, "command"):
                continue
            summary, _, rest = plain(fact.__doc__).partition("\n\n")
            code = inspect.cleandoc(rest.partition(".. code:: python")[2])
            arguments = [
                each for each in inspect.signature(fact.command).parameters if each != "self"
            ]
            yield f"### facts.{module}.{node.name}\n"
            yield f"{summary}\n"
            if arguments:
                yield f"- arguments: {', '.join(f'`{each}`' for each in arguments)}"
            yield f"- cost: {joined(plain(fact.command.__doc__))}"
            state = inspect.signature(fact.process).return_annotation
            if attrs.has(state):
                yield f"- answers a `{state.__module__}.{state.__name__}`: {fields(state)}"
            if code:
                yield f"\n```python\n{code}\n```"
            yield ""


def fields(state):
    return ", ".join(f"`{each.name}`" for each in attrs.fields(state))


def joined(text):
    return " ".join(text.split())


def phases():
    """Each operation of deploy.py, upgrade.py and recover.py, with the names of its phases."""
    found = {}
    for node in [each for page in PAGES for each in tree(page).body]:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=module, attr=name)) as call):
                said = next(each.value.value for each in call.keywords if each.arg == "name")
                found.setdefault((module.id, name), []).append(said)
    return found


def hosts(module, name):
    node = functions()[f"operations.{module}", name]
    (call,) = [each for each in node.decorator_list if isinstance(each, ast.Call)]
    return " and ".join({"Node": "nodes", "Client": "clients"}[each.id] for each in call.args)


def operations():
    yield "## Operations\n"
    yield "In the order of `deploy.py`, then of `upgrade.py` and of `recover.py`."
    yield "A refusal ends the run for its cluster: see the [runbook](runbook.md).\n"
    for (module, name), said in phases().items():
        operation = getattr(import_module(f"operations.{module}"), name)
        reached = reach(f"operations.{module}", name)
        read = sorted({f"{key[0]}.{key[1]}" for key in reached if key[0].startswith("facts.")})
        decisions = sorted(
            f"{key[0]}.{key[1]}"
            for key in reached & functions().keys()
            if key[0].startswith("san.decide") and not key[1].startswith("_")
        )
        run = [each for each in dict.fromkeys(runs(module, name)) if each]
        yield f"### {module}.{name}\n"
        yield f"Phases: {'; '.join(said)}. On {hosts(module, name)}.\n"
        yield f"{plain(operation._inner.__doc__)}\n"
        yield f"- reads: {', '.join(f'`{each}`' for each in read) or 'nothing'}"
        yield f"- decides: {', '.join(f'`{each}`' for each in decisions) or 'nothing'}"
        yield f"- runs: {', '.join(run) or 'nothing'}"
        yield ""


def page():
    """The whole document."""
    text = "\n".join([HEAD, *operations(), *facts()])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
