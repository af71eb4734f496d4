"""The two scripts that operations run on hosts by themselves: a file's installation, and the lock.

The ecosystem's harness for operations (pyinfra-testing) isn't used here: its cases are YAML, and
each operation reads `host.data.cluster` and `.member`, which are objects of san.model, and asks
both nodes. tests/deploy runs all of them, on simulated hosts.
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyinfra.api.command import StringCommand

from operations import lock
from operations.file import _INSTALL

SECRET = "a secret\nof two lines\n"


def install(path, content, mode="0600", script=_INSTALL, **options):
    return subprocess.run(
        ["sh", "-c", script, "san-install", path, mode],
        input=content,
        text=True,
        capture_output=True,
        check=False,
        **options,
    )


def test_a_file_is_installed_whole_with_its_mode(tmp_path):
    path = tmp_path / "a new directory" / "it's a file"
    assert install(path, SECRET).returncode == 0
    assert path.read_text() == SECRET
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_directory_that_it_makes_is_open(tmp_path):
    """A closed /etc/systemd/network would hide the network's files from systemd-networkd."""
    assert install(tmp_path / "made" / "file", "x\n", "0644").returncode == 0
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o777 & ~os.umask(os.umask(0o022))


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "file").symlink_to(tmp_path / "other")
    assert install(tmp_path / "file", SECRET).returncode == 0
    assert (tmp_path / "other").read_text() == "theirs"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("line", [3, 5, 6, 7, 8, 9, 10])
def test_ended_at_any_line_the_old_file_is_whole_and_the_next_run_cleans_up(tmp_path, line):
    path = tmp_path / "file"
    path.write_text("old\n")
    lines = _INSTALL.splitlines()
    killed = "\n".join([*lines[:line], "kill -KILL $$", *lines[line:]])
    assert install(path, SECRET, script=killed).returncode == -signal.SIGKILL
    assert path.read_text() == "old\n"
    for left in tmp_path.glob(".san.*"):
        assert left.stat().st_mode & 0o777 == 0o700
    assert install(path, SECRET).returncode == 0
    assert path.read_text() == SECRET
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old\n")
    ended = install(path, SECRET, script=_INSTALL.replace('cat > "$stage/new"', "cat > /dev/full"))
    assert ended.returncode != 0
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


# --- The lock -------------------------------------------------------------------------------------

OTHER = """
import subprocess, sys
print(subprocess.run(["sh", "-c", sys.argv[1], "san-lock", "bob"]).returncode, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def script(tmp_path):
    """The lock's script with a lock of the test's own; the owner is this process, or `other`."""
    return lock._TAKE.replace("/run/san.lock", str(tmp_path / "lock"))


@pytest.fixture
def other(script):
    """Another run, of another process, which holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.owner = process.stdout.readline().strip()
        assert process.stdout.readline() == "0\n"
        yield process
        process.kill()


def take(script, who="ann"):
    return subprocess.run(
        ["sh", "-c", script, "san-lock", who], text=True, capture_output=True, check=False
    )


def test_the_lock_is_its_owners_as_often_as_it_is_taken(script):
    assert [take(script).returncode for _ in range(2)] == [0, 0]


def test_who_holds_it_is_said(script, other):
    assert other.poll() is None
    refused = take(script)
    assert (refused.returncode, refused.stdout) == (lock.HELD, "bob\n")


def test_what_a_killed_run_held_is_free(script, other):
    other.kill()
    other.wait()
    assert take(script).returncode == 0


def test_a_process_that_got_the_same_number_later_is_another(script, tmp_path):
    (tmp_path / "lock").write_text(f"{os.getppid()} 1\nbob\n")
    assert take(script).returncode == 0


def test_a_half_written_lock_is_none(script, tmp_path):
    (tmp_path / "lock").write_text("")
    assert take(script).returncode == 0
    assert "ann" in Path(tmp_path / "lock").read_text()


# --- The lock's commands --------------------------------------------------------------------------


@pytest.fixture
def under(tmp_path, monkeypatch):
    """Start a command as it runs under the lock of `owner`."""
    started = []

    def start(owner, command):
        monkeypatch.setitem(lock._owners, "weasel", owner)
        held = lock.under(SimpleNamespace(name="weasel"), StringCommand(command))
        words = held.get_raw_value().replace("/run/san.lock", str(tmp_path / "lock"))
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        started.append(subprocess.Popen(["sh", "-c", words], text=True, **pipes))
        return started[-1]

    yield start
    for each in started:
        each.communicate()


def test_a_command_has_its_input_and_its_status(under, other):
    command = under(other.owner, "cat && exit 7")
    assert command.communicate("a word\n") == ("a word\n", "")
    assert command.returncode == 7


def test_a_command_that_outlives_its_run_keeps_the_lock(script, under, other):
    """Its sshd has ended; what it was told to do goes on."""
    command = under(other.owner, "echo begun; read -r word; echo $word")
    assert command.stdout.readline() == "begun\n"
    other.kill()
    other.wait()
    refused = take(script)
    assert (refused.returncode, refused.stdout) == (
        lock.HELD,
        "bob; a command of it still runs\n",
    )
    assert command.communicate("done\n")[0] == "done\n"
    assert take(script).returncode == 0


def test_so_does_one_of_its_own_run(script, under):
    """One that ran out of its time goes on, too."""
    owner = take(script).stdout.strip()
    command = under(owner, "echo begun; read -r word")
    assert command.stdout.readline() == "begun\n"
    assert take(script).returncode == lock.HELD
    command.communicate("\n")
    assert take(script).returncode == 0


def test_a_daemon_that_a_command_leaves_behind_does_not(script, under, other):
    command = under(other.owner, "sleep 600 >/dev/null 2>&1 & echo $!")
    daemon = int(command.communicate()[0])
    other.kill()
    other.wait()
    assert take(script).returncode == 0
    os.kill(daemon, signal.SIGKILL)


@pytest.mark.parametrize("left", ["another run's", "none", "an empty one"])
def test_a_command_does_nothing_where_its_run_has_no_lock_any_more(
    script, under, other, tmp_path, left
):
    other.kill()
    other.wait()
    if left == "another run's":
        assert take(script).returncode == 0
    elif left == "none":
        (tmp_path / "lock").unlink()
    else:
        (tmp_path / "lock").write_text("")
    command = under(other.owner, f"touch {tmp_path}/acted")
    assert "nothing was done" in command.communicate()[1]
    assert command.returncode == lock.HELD
    assert not (tmp_path / "acted").exists()
    assert take(script).returncode == 0


def test_a_command_that_waits_while_the_lock_changes_hands_does_nothing(under, other, tmp_path):
    """It has opened the old file, and gets it when nobody's name is there any more."""
    with (tmp_path / "lock").open() as old:
        fcntl.flock(old, fcntl.LOCK_EX)
        command = under(other.owner, f"touch {tmp_path}/acted")
        while not _waits_for(old):
            assert command.poll() is None
        (tmp_path / "new").write_text("1 1\nann\n")
        (tmp_path / "new").rename(tmp_path / "lock")
    assert "nothing was done" in command.communicate()[1]
    assert not (tmp_path / "acted").exists()


def _waits_for(file):
    inode = f":{os.fstat(file.fileno()).st_ino} "
    return any("->" in line and inode in line for line in Path("/proc/locks").open())


def test_where_a_run_has_no_lock_a_command_is_itself():
    command = StringCommand("true")
    assert lock.under(SimpleNamespace(name="badger"), command) is command
