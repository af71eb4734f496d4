"""docs/reference.md is what the code says."""

import ast

from catalogue import PAGE, functions, page, phases


def test_it_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/operations/catalogue.py"


def test_every_operation_is_a_phase():
    """Nothing that nobody runs."""
    operations = {
        (module.removeprefix("operations."), name)
        for (module, name), node in functions().items()
        if module.startswith("operations.")
        and any(isinstance(each, ast.Call) for each in node.decorator_list)  # converging(…)
    }
    assert operations == set(phases())
