"""drbdadm's words without DRBD's secret: in a run's output it would be there for all to read."""

import subprocess

import pytest

from san.render.programs import QUIET

SECRET = "k9_.,:@%/+-Zz0123"


def quiet(*command):
    return subprocess.run(
        ("sh", "-c", QUIET, *command),
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )


@pytest.mark.parametrize(
    "said",
    [
        f"Command 'drbdsetup-84 connect r0 ipv4:1.2.3.4:1 --shared-secret={SECRET} --ping-int=3'",
        f"Command 'drbdsetup-84 net-options r0 --shared-secret={SECRET}' terminated with code 10",
        f"drbdsetup new-peer r0 1 --shared-secret {SECRET} --_name=otter",
        f"  shared-secret    {SECRET};",
    ],
)
def test_what_a_failed_call_says_has_no_secret_in_it(said):
    done = quiet("sh", "-c", 'echo "$1"; echo "$1" >&2; exit 10', "drbdadm", said)
    assert done.returncode == 10
    assert SECRET not in done.stdout + done.stderr
    assert done.stderr.count("(hidden)") == 2
    for word in said.split():
        assert SECRET in word or word in done.stderr


def test_nothing_said_is_nothing_shown():
    done = quiet("true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_words_of_the_command_are_kept_apart():
    done = quiet("printf", "<%s>", "two words", "$(id)", "r0")
    assert done.stderr == "<two words><$(id)><r0>\n"
