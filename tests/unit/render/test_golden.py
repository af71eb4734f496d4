"""Every file of a host, whole, as it lands there."""

import os

import pytest
from reference import GOLDEN, SECRETS, hosts, is_golden


@pytest.mark.parametrize("name", ["weasel", "badger", "guide-weasel"])
def test_files(name):
    """Each rendered file equals its golden file, and none is missing or left over."""
    rendered = {file.path: file.content for file in hosts()[name] if is_golden(file)}
    root = GOLDEN / name
    expected = {
        f"/{path.relative_to(root)}": path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }
    assert rendered == expected


def test_both_nodes_get_the_same_but_their_addresses_and_days(cluster):
    from san.render.files import node_files

    weasel, otter = (
        {file.path: file.content for file in node_files(cluster, name)}
        for name in ("weasel", "otter")
    )
    different = {path for path in weasel if weasel[path] != otter[path]}
    assert different == {
        "/etc/systemd/network/50-san-eth1.network",
        "/etc/systemd/system/san-verify.timer",
    }


@pytest.mark.parametrize("name", ["weasel", "badger", "guide-weasel"])
def test_secrets_are_in_secret_files_alone(name):
    for file in hosts()[name]:
        holds = any(value in file.content for value in SECRETS.values())
        assert not holds or file.secret
        assert file.mode == (0o600 if file.secret else file.mode)
        assert not any(value in repr(file) for value in SECRETS.values())


@pytest.mark.parametrize("name", ["weasel", "badger", "guide-weasel"])
def test_scripts_are_executable_and_nothing_else_is(name):
    for file in hosts()[name]:
        assert file.content.startswith("#!") == (file.mode == 0o755)


@pytest.mark.parametrize("name", ["weasel", "badger", "guide-weasel"])
def test_every_file_ends_with_one_newline(name):
    for file in hosts()[name]:
        assert file.content.endswith("\n")
        assert not file.content.endswith("\n\n")


def test_templates_are_found_from_anywhere(cluster, tmp_path, monkeypatch):
    from san.render.haresources import haresources

    monkeypatch.chdir(tmp_path)
    assert os.listdir() == []  # noqa: PTH208
    assert haresources(cluster).startswith("weasel ")


def test_an_undefined_name_is_an_error():
    from jinja2 import UndefinedError

    from san.render.template import text

    with pytest.raises(UndefinedError):
        text("heartbeat/authkeys")
