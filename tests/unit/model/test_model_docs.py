"""docs/inventory.md says what the model says."""

import re
from pathlib import Path

import attrs
import pytest

import san.model
from san.inventory import load

TEXT = (Path(__file__).parents[3] / "docs/inventory.md").read_text(encoding="utf-8")


def test_its_example_is_a_sound_inventory(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "inventory.py"
    file.write_text(example, encoding="utf-8")

    assert [cluster.name for cluster in load(file).clusters] == ["mail"]


@pytest.mark.parametrize("name", san.model.__all__)
def test_it_names_every_class_and_field(name):
    part = getattr(san.model, name)
    if not attrs.has(part) or name == "Problem":
        return
    assert f"`{name}" in TEXT or f" {name}" in TEXT
    for field in attrs.fields(part):
        assert f"`{field.name}`" in TEXT or name in ("Site", "Secret"), field.name


def test_it_says_every_default_time():
    shown = dict(re.findall(r"^\| `(\w+)` \| .* \| `([\w.]+)`.* \|$", TEXT, re.MULTILINE))
    for field in attrs.fields(san.model.Timing):
        assert shown[field.name] == str(field.default), field.name
