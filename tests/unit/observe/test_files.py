"""Files: `stat` and `sha256sum` of GNU coreutils 9.1 (Debian 12), run by the fact's own script."""

import subprocess
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from san.observe.files import FileState, parse, shell
from san.observe.sections import UnreadableError


def answer(*paths):
    """What the script prints on this machine."""
    done = subprocess.run(["sh", "-c", shell(paths)], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.splitlines()


def test_each_kind_of_thing_at_a_path(tmp_path):
    """A file has a digest and its mode, a directory none, a link its target's, a hole is None."""
    file, link, lost = tmp_path / "authkeys", tmp_path / "link", tmp_path / "lost"
    file.write_text("auth 1\n")
    file.chmod(0o600)
    link.symlink_to(file)
    lost.symlink_to(tmp_path / "nowhere")
    digest = sha256(b"auth 1\n").hexdigest()

    found = parse(
        answer(*map(str, (file, tmp_path, link, lost, tmp_path / "none", file / "below")))
    )

    state = found[str(file)]
    assert (state.kind, state.mode, state.size, state.sha256) == ("file", 0o600, 7, digest)
    assert found[str(tmp_path)].kind == "directory"
    assert found[str(tmp_path)].sha256 is None
    assert (found[str(link)].kind, found[str(link)].sha256) == ("link", digest)
    assert (found[str(lost)].kind, found[str(lost)].sha256) == ("link", None)
    assert found[str(tmp_path / "none")] is None
    assert found[str(file / "below")] is None


def test_an_empty_file_has_the_digest_of_nothing(tmp_path):
    file = tmp_path / "empty"
    file.touch()
    assert parse(answer(str(file)))[str(file)].sha256 == sha256(b"").hexdigest()


def test_no_paths_no_states():
    assert parse(answer()) == {}


def test_a_device_is_never_read():
    assert parse(answer("/dev/zero"))["/dev/zero"].kind == "other"


@pytest.mark.parametrize("name", ["a b", "$(reboot)", "--help", "a'b;c", "*"])
def test_paths_are_data(tmp_path, name):
    """A path that the shell could take for something else is quoted."""
    file = tmp_path / name
    file.write_text("x")
    assert parse(answer(str(file)))[str(file)].sha256 == sha256(b"x").hexdigest()


def test_matches_is_about_content_mode_and_owner():
    state = FileState("file", 0o600, "root", "root", 1, "ab")
    assert state.matches("ab", 0o600)
    assert not state.matches("ac", 0o600)
    assert not state.matches("ab", 0o644)
    assert not state.matches("ab", 0o600, group="haclient")
    assert not FileState("link", 0o600, "root", "root", 1, "ab").matches("ab", 0o600)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "lacks its part"),
        (["[san:begin files]", "[san:end files 124]"], "status 124"),
        (
            [
                "[san:begin files]",
                "stat: cannot statx '/a': Permission denied",
                "[san:end files 0]",
            ],
            "Permission denied",
        ),
        (
            [
                "[san:begin files]",
                "stat\t600\troot\troot\t7\tregular file\t/a",
                "[san:end files 0]",
            ],
            "/a changed while it was read",
        ),
        (["[san:begin files]", "stat\t600\troot"], "ends within its part"),
    ],
)
def test_unreadable_is_not_absent(lines, sentence):
    with pytest.raises(UnreadableError, match=sentence):
        parse(lines)


@given(
    mode=st.integers(0, 0o7777),
    owner=st.from_regex(r"[a-z_][a-z0-9_-]{0,30}", fullmatch=True),
    size=st.integers(0, 2**40),
    digest=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    path=st.from_regex(r"/[A-Za-z0-9_./+:@=-]{1,60}", fullmatch=True),
)
def test_any_state_comes_back_as_stat_wrote_it(mode, owner, size, digest, path):
    lines = [
        "[san:begin files]",
        f"stat\t{mode:o}\t{owner}\t{owner}\t{size}\tregular file\t{path}",
        f"{digest}  {path}",
        "",
        "[san:end files 0]",
    ]
    assert parse(lines) == {path: FileState("file", mode, owner, owner, size, digest)}
