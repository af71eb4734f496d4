"""What of a file's text leaves its host: no secret, whosever the file is."""

import subprocess

import pytest

from san.observe.sections import UnreadableError
from san.observe.texts import masked, parse, shell

LINES = [
    "1 sha1 hunter2",
    "account badger hunter2",
    "\tIncomingUser badger hunter2",
    "        shared-secret hunter2;",
    '        shared-secret "hunter2";',
    "node.session.auth.password = hunter2",
    "discovery.sendtargets.auth.password_in=hunter2",
    "stonith_host weasel external/ipmi otter 10.0.0.5 root hunter2",
    "stonith external/ipmi hunter2",
    "  passwd=hunter2",
    "  any_name=hunter2",
    "wpa-psk hunter2",
    "snmp_community: hunter2",
]


def read(path, secret=()):
    done = subprocess.run(
        ["sh", "-c", shell([str(path)], secret)], capture_output=True, text=True, check=True
    )
    return parse(done.stdout.split("\n"))[str(path)]


@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_masked_by_the_host_and_here_alike(tmp_path, line):
    file = tmp_path / "it's a file"
    file.write_text(f"one\n{line}\n")
    found = read(file)
    assert "hunter2" not in " ".join(found)
    assert found == masked(f"one\n{line}\n")
    assert found[0] == "one"


def test_ours_is_shown_as_it_is_unless_it_is_secret(tmp_path):
    file = tmp_path / "file"
    file.write_text("# Written by pyinfra-san\n$pass = 1;\n")
    assert read(file) == ("# Written by pyinfra-san", "$pass = 1;")
    assert read(file, secret=[str(file)]) == ("# Written by pyinfra-san", "$pass ****")


def test_lines_that_say_no_secret_stay():
    text = "resource r0 {\n    connect-int 3;  # seconds\nnode.startup = automatic\nlun 1 sync 6 6"
    assert masked(text) == tuple(text.splitlines())


def test_a_file_that_is_gone_is_no_empty_one(tmp_path):
    with pytest.raises(UnreadableError, match="can't be read"):
        read(tmp_path / "none")
