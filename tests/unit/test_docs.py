"""The documents say what is there: links, commands, paths, arrows and refusals."""

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest

from san.cli import main
from san.drill.matrix import FAULTS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

every_page = pytest.mark.parametrize("name", NAMES)


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(name), flags=re.DOTALL | re.MULTILINE)


def anchors_of(name: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose_of(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_link_within_the_project_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(name)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name

        assert page.exists(), f"{name} links to {target}"
        if anchor:
            there = str(page.resolve().relative_to(ROOT))
            assert anchor in anchors_of(there), f"{name} links to {target}"


@every_page
def test_every_path_of_the_project_exists(name):
    top = "san|facts|operations|templates|tests|docs"
    for path in re.findall(rf"`((?:{top})/[\w./*-]*|[\w-]+\.(?:py|toml|lock|md))`", text_of(name)):
        assert list(ROOT.glob(path.rstrip("/"))), f"{name} names {path}"


@every_page
def test_every_module_of_the_project_exists(name):
    for module in re.findall(r"`((?:san|facts|operations)(?:\.\w+)+)`", text_of(name)):
        # The last one or two words may be a name within the module.
        parts = module.split(".")
        places = [
            ROOT.joinpath(*parts[:end]) for end in range(len(parts), max(len(parts) - 3, 1), -1)
        ]
        assert any(place.is_dir() or place.with_suffix(".py").exists() for place in places), (
            f"{name} names {module}"
        )


@every_page
def test_every_make_target_exists(name):
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    for target in re.findall(r"(?:`|^\$ )make ([\w-]+)", text_of(name), re.MULTILINE):
        assert target in targets, f"{name} names make {target}"


@every_page
def test_every_san_command_exists(name):
    line = r"(?:`|^\$ |^ {4}|&& )(?:\.venv/bin/)?san ((?:[a-z][a-z-]* ?)+)"
    for words in re.findall(line, text_of(name), re.MULTILINE):
        command: click.Command = main
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{name} names san {words}"
            command = found


def test_the_readme_begins_with_two_commands():
    block = re.search(r"## Two commands.*?```console\n(.*?)```", text_of("README.md"), re.DOTALL)

    assert block is not None
    assert block[1].splitlines() == ["$ make demo", "$ make test"]


def test_the_readme_shows_every_phase_of_a_run():
    phases = re.findall(r'name="([^"]+)"', text_of("deploy.py"))
    shown = re.search(r"--> Detected changes:\n(.*?)```", text_of("README.md"), re.DOTALL)

    assert shown is not None
    assert [re.split(r" {2,}", line.strip())[0] for line in shown[1].splitlines()[1:]] == phases


def test_the_runbook_has_a_section_for_every_fault_of_the_matrix():
    table = re.search(r"## By fault\n(.*?)\n## ", text_of("docs/runbook.md"), re.DOTALL)
    assert table is not None
    rows = [line.split("|")[1:-1] for line in table[1].splitlines() if line.startswith("| `")]
    patterns = [name for faults, _ in rows for name in re.findall(r"`(.+?)`", faults)]

    for fault in FAULTS:
        assert any(fnmatchcase(fault, pattern) for pattern in patterns), fault
    for pattern in patterns:
        assert any(fnmatchcase(fault, pattern) for fault in FAULTS), pattern
    for _, section in rows:
        assert "](" in section


# --- The arrows -----------------------------------------------------------------------------------


def contracts() -> list[list[set[str]]]:
    """The layers of each contract, from the top, each a set of modules."""
    config = ConfigParser()
    config.read(ROOT / ".importlinter")
    return [
        [set(re.split(r"\s*[:|]\s*", line)) for line in section["layers"].strip().splitlines()]
        for section in config.values()
        if "layers" in section
    ]


def arrows() -> list[tuple[str, str]]:
    """The arrows of docs/architecture.md, as pairs."""
    block = re.search(r"```arrows\n(.*?)```", text_of("docs/architecture.md"), re.DOTALL)
    assert block is not None
    found = []
    for line in block[1].splitlines():
        steps = [re.split(r",\s*", step) for step in line.split(" -> ")]
        for above, below in pairwise(steps):
            found += [(one.strip(), two.strip()) for one in above for two in below]
    return found


def test_each_arrow_points_down_in_a_contract():
    for above, below in arrows():
        assert any(
            above in layer and any(below in lower for lower in layers[index + 1 :])
            for layers in contracts()
            for index, layer in enumerate(layers)
        ), f"no contract lets {above} import {below} and not the other way round"


def test_each_module_of_a_contract_has_its_arrow():
    drawn = {module for arrow in arrows() for module in arrow}

    assert drawn == set().union(*(layer for layers in contracts() for layer in layers))


def test_the_picture_shows_the_same_modules():
    shown = set(re.findall(r">([\w.]+)</text>", text_of("docs/images/arrows.svg")))

    assert {module for arrow in arrows() for module in arrow} <= shown


# --- The refusals ---------------------------------------------------------------------------------


STOPS = ("Refusal", "UnobservedError", "PyinfraError")


def sentence(node: ast.expr) -> Iterator[str]:
    """A string as the operator reads it, with `…` for what is filled in."""
    match node:
        case ast.Constant(value=str(value)):
            yield value
        case ast.JoinedStr(values=values):
            yield "".join(
                value.value if isinstance(value, ast.Constant) else "…" for value in values
            )
        case ast.IfExp(body=body, orelse=orelse):
            yield from sentence(body)
            yield from sentence(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from sentence(value)


def sentences() -> set[str]:
    """What may stop a run: each Refusal, and each answer of a function that returns a reason."""
    found: set[str] = set()
    folders = (*ROOT.glob("operations/*.py"), *ROOT.glob("san/decide/*.py"))
    for file in (ROOT / "config.py", *folders):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[said, *_]) if name in STOPS:
                    found.update(sentence(said))
                case ast.FunctionDef(returns=ast.BinOp() as returns) if (
                    ast.unparse(returns) == "str | None"
                ):
                    for inner in ast.walk(node):
                        if isinstance(inner, ast.Return) and inner.value is not None:
                            found.update(sentence(inner.value))
    return {said for said in found if " " in said}


def phrases() -> list[str]:
    """The first column of the runbook's table of sentences."""
    table = text_of("docs/runbook.md").split("## By sentence")[1].split("\n## ")[0]
    return [row[0].strip("`") for row in re.findall(r"^\| (`.+?`) \| (\[.+)$", table, re.MULTILINE)]


def test_every_refusal_has_its_section():
    missing = [said for said in sentences() if not any(phrase in said for phrase in phrases())]

    assert not missing, f"docs/runbook.md, 'By sentence', lacks {missing}"


def test_no_refusal_advises_what_destroys():
    """In another situation than the one it was written for, it would be the good copy's end."""
    destroys = re.compile(
        r"wipefs|pvmove|vgreduce(?! --removemissing would)|pvcreate|create-md|--force|dd if|mkfs|"
        r"discard-my-data|invalidate|drbdadm (?:secondary|primary|outdate|detach|down)|wipe that"
    )
    assert [said for said in sentences() if destroys.search(said)] == []


def test_every_row_of_the_runbook_is_a_sentence_of_the_code():
    scripts = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("templates/*/*"))
    stale = [
        phrase
        for phrase in phrases()
        if not any(phrase in said for said in sentences()) and phrase not in scripts
    ]

    assert not stale, f"docs/runbook.md, 'By sentence', has rows that nothing says: {stale}"


def test_every_section_says_what_to_do():
    sections = re.findall(
        r"^## (.+)\n((?:(?!^## ).*\n)+)", text_of("docs/runbook.md"), re.MULTILINE
    )
    for title, body in sections:
        if title not in ("By sentence", "By fault", "Who holds what"):
            assert "**You see**" in body, title
            assert re.search(r"\*\*(Do|First|Then)", body), title
