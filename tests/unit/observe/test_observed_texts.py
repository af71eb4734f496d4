"""What of a file's text leaves its host: no secret, whosever the file is."""

import subprocess
from pathlib import Path

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


GOLDEN = Path(__file__).parents[1] / "render/golden"


def read(path):
    done = subprocess.run(
        ["sh", "-c", shell([str(path)])], capture_output=True, text=True, check=True
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


def test_a_line_that_somebody_added_to_a_file_of_ours_is_masked(tmp_path):
    file = tmp_path / "ha.cf"
    file.write_text(
        "# Written by pyinfra-san\n"
        "stonith_host weasel external/ipmi otter 10.0.0.9 ADMIN TOPsecretPW lan\n"
    )
    assert read(file) == ("# Written by pyinfra-san", "stonith_host weasel external/ipmi ****")


@pytest.mark.parametrize("name", ["weasel", "badger", "guide-weasel"])
def test_equal_lines_of_our_files_stay_equal(name):
    files = [path for path in (GOLDEN / name).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert read(path) == masked(path.read_text(encoding="utf-8")), path


def test_lines_that_say_no_secret_stay():
    text = "resource r0 {\n    connect-int 3;  # seconds\nnode.startup = automatic\nlun 1 sync 6 6"
    assert masked(text) == tuple(text.splitlines())


def test_a_file_that_is_gone_is_no_empty_one(tmp_path):
    with pytest.raises(UnreadableError, match="can't be read"):
        read(tmp_path / "none")
