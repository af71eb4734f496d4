"""No secret is ever shown, nor in any process's arguments."""

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ("-y", "-vvv", "--diff", "--debug"),
        ("--dry", "-vvv", "--diff", "--debug"),
        ("--debug-operations", "-vvv"),
        ("--json", "-y"),
    ],
)
def test_none_is_shown(bare, arguments):
    ran = bare.run(*arguments)
    assert ran.returncode == 0, ran.output
    assert "secret-of-" not in ran.output
    assert [each["command"] for each in ran.log if "secret-of-" in each["command"]] == []


def test_none_is_shown_when_a_run_fails(bare):
    bare.change(otter=lambda node: node.addresses.pop("eth1"))
    ran = bare.run("-y", "-vvv", "--diff", "--debug")
    assert "secret-of-" not in ran.refusal
