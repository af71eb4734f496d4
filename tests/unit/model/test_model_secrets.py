"""The secrets file."""

import pytest

from san.model import Secret
from san.model.secret import read_secrets


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secrets.env"
    path.touch(mode=0o600)
    return path


def test_lines_comments_and_blanks(file):
    file.write_text("# ours\n\nA=one\nB=two=2\n  \n")
    assert read_secrets(file) == {"A": "one", "B": "two=2"}


def test_no_file_is_no_secret(tmp_path):
    assert read_secrets(tmp_path / "none") == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_a_file_open_to_others_is_refused(file, mode):
    file.write_text("A=one\n")
    file.chmod(mode)
    with pytest.raises(ValueError, match="open to others; run: chmod 600"):
        read_secrets(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A\n", "line 1: not NAME=value"),
        (b"A=1\nexport B=2\n", "line 2: not NAME=value"),
        (b"a=1\n", "line 1: not NAME=value"),
        (b"A=1\nA=2\n", "line 2: A is there already"),
        (b"A=\xff\n", "not UTF-8"),
    ],
)
def test_a_line_that_is_none(file, content, words):
    file.write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        read_secrets(file)
    assert "\n" not in str(error.value)


def test_a_directory(tmp_path):
    with pytest.raises(ValueError, match="can't be read"):
        read_secrets(tmp_path)


def test_only_a_newline_ends_a_line(file):
    file.write_text("A=one\u2028B=two\r\n", newline="")
    assert read_secrets(file) == {"A": "one\u2028B=two\r"}


def test_the_environment_comes_first(file, monkeypatch):
    monkeypatch.setenv("SAN_SECRETS_FILE", str(file))
    file.write_text("A=file\n")
    assert Secret("A").reveal() == "file"
    monkeypatch.setenv("A", "environment")
    assert Secret("A").reveal() == "environment"


def test_empty_is_missing(file, monkeypatch):
    monkeypatch.setenv("SAN_SECRETS_FILE", str(file))
    monkeypatch.setenv("A", "")
    file.write_text("A=\n")
    with pytest.raises(ValueError, match="run: san secrets init"):
        Secret("A").reveal()
