"""`san check`, `san secrets init`, and what pyinfra says of the same inventory."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from san.cli import main

ROOT = Path(__file__).parents[2]
NAMES = ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET")
REFERENCE = (ROOT / "inventory.py").read_text(encoding="utf-8")


@pytest.fixture
def here(monkeypatch, tmp_path):
    """An empty directory with the reference inventory, and no secret anywhere."""
    monkeypatch.chdir(tmp_path)
    for name in (*NAMES, "SAN_SECRETS_FILE"):
        monkeypatch.delenv(name, raising=False)
    write(REFERENCE)
    return tmp_path


@pytest.fixture
def complete(here):
    assert san("secrets", "init").exit_code == 0
    return here


def san(*arguments):
    return CliRunner().invoke(main, arguments)


def write(text):
    Path("inventory.py").write_text(text, encoding="utf-8")


def texts():
    lines = Path("secrets.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


class TestCheck:
    @pytest.mark.usefixtures("complete")
    def test_a_sound_inventory(self):
        result = san("check")

        assert result.exit_code == 0
        first, *tree = result.stdout.splitlines()
        assert first == "inventory.py: 1 cluster, 2 nodes, 1 client: no problems"
        for word in ("weasel (preferred)", "192.168.2.1/24 on eth3", "serial /dev/ttyS1"):
            assert any(word in line for line in tree), tree
        assert result.stderr == ""

    @pytest.mark.usefixtures("complete")
    def test_no_line_is_broken_on_a_narrow_terminal(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "20")
        assert "iqn.2009-02.com.example:test LUN 1 storage/test fileio" in san("check").stdout

    @pytest.mark.usefixtures("complete")
    def test_an_acknowledged_warning_is_still_said(self):
        accepted = 'acknowledged=("single-heartbeat-link",), clients=('
        write(REFERENCE.replace(', Serial("/dev/ttyS1")', ",").replace("clients=(", accepted))
        result = san("check")
        assert result.exit_code == 0
        assert "warning, acknowledged by reference: single-heartbeat-link" in result.stdout

    @pytest.mark.usefixtures("here")
    def test_problems_stand_one_a_line_on_stderr(self):
        result = san("check")

        assert result.exit_code == 1
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert [line.split(": ")[0] for line in lines] == [
            "clusters[0].resources[0].secret.name",
            "clusters[0].targets[0].chap.secret.name",
            "clusters[0].heartbeat.secret.name",
        ]

    @pytest.mark.usefixtures("complete")
    def test_json_of_a_sound_inventory(self):
        answer = json.loads(san("check", "--json").stdout)

        assert answer["ok"] is True
        assert answer["problems"] == []
        assert [cluster["name"] for cluster in answer["clusters"]] == ["reference"]

    @pytest.mark.usefixtures("complete")
    def test_json_of_problems_even_where_the_inventory_prints(self):
        write('print("hello")\n' + REFERENCE.replace('"512M"', '"512"'))

        result = san("check", "--json")

        assert result.exit_code == 1
        assert json.loads(result.stdout) == {
            "ok": False,
            "problems": [
                {
                    "path": "clusters[0].volume_groups[0].volumes[0].size",
                    "sentence": "'512' is not a size with a unit, such as 512M or 20G",
                }
            ],
            "clusters": [],
        }

    @pytest.mark.usefixtures("complete")
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                REFERENCE.replace('interface="eth0"', 'interfac="eth0"'),
                "inventory.py:34: TypeError: Network.__init__() got an unexpected keyword",
            ),
            (REFERENCE.replace('"reference",', '"reference"'), "inventory.py:27: SyntaxError: "),
            ("\nraise ValueError('two\\nlines')", "inventory.py:2: ValueError: two lines"),
            ("\n\nimport nothing_like_it", "inventory.py:3: ModuleNotFoundError: "),
            ("x = 'a\0b'", "inventory.py:1: "),
            ("def f(): f()\nf()", "inventory.py:1: RecursionError: "),
            ("raise SystemExit(0)", "inventory.py: it ends the program"),
            ("x = 1", "inventory.py: it declares 0 sites"),
            (REFERENCE + "\nsite = 1", "inventory.py: it declares 0 sites"),
            (
                REFERENCE.replace("nodes = site.nodes()", ""),
                "nodes: weasel is not in it; write nodes = site.nodes()",
            ),
            (
                REFERENCE.replace("clients = site.initiators()", "clients = 7"),
                "clients: badger is not in it; write clients = site.initiators()",
            ),
        ],
    )
    def test_what_is_no_inventory(self, text, said):
        write(text)
        result = san("check")

        assert result.exit_code == 1
        assert result.stderr.splitlines()[0].startswith(said), result.stderr
        assert isinstance(result.exception, SystemExit), "no traceback"

    @pytest.mark.usefixtures("here")
    def test_the_file_s_mistakes_are_named_beside_the_site_s(self):
        write(
            REFERENCE.replace('"512M"', '"512"').replace("nodes = site.nodes()", "")
            + "\nprint(site.clusters[0].volume_groups[0].volumes[0].bytes)\n"
        )
        lines = [line.split(": ")[0] for line in san("check").stderr.splitlines()]
        assert "clusters[0].volume_groups[0].volumes[0].size" in lines
        write(REFERENCE.replace('"512M"', '"512"').replace("nodes = site.nodes()", ""))
        lines = [line.split(": ")[0] for line in san("check").stderr.splitlines()]
        assert "clusters[0].volume_groups[0].volumes[0].size" in lines
        assert lines.count("nodes") == 2

    @pytest.mark.usefixtures("complete")
    def test_a_site_by_another_name(self):
        write(REFERENCE.replace("site", "ours").replace("ours = Site", "ours = Site"))
        assert san("check").exit_code == 0

    @pytest.mark.usefixtures("here")
    @pytest.mark.parametrize("name", ["none.py", "."])
    def test_what_is_no_file(self, name):
        result = san("check", name)
        assert result.exit_code == 1
        assert "it can't be read" in result.stderr

    @pytest.mark.usefixtures("here")
    def test_bytes_that_are_no_text(self):
        Path("inventory.py").write_bytes(b"\xff\xfe")
        assert "not UTF-8" in san("check").stderr


class TestElsewhere:
    """From another directory than the inventory's."""

    @pytest.fixture
    def away(self, complete, monkeypatch):
        directory = complete / "away"
        directory.mkdir()
        monkeypatch.chdir(directory)
        return directory

    @pytest.mark.usefixtures("away")
    @pytest.mark.parametrize("name", ["../inventory.py", "{}/inventory.py"])
    def test_secrets_are_beside_the_inventory(self, complete, name):
        result = san("check", name.format(complete))
        assert result.exit_code == 0, result.stderr

    def test_no_second_set_is_made(self, away):
        result = san("secrets", "init", "../inventory.py")
        assert result.exit_code == 0
        assert result.output.count("kept") == 3
        assert list(away.iterdir()) == []

    def test_what_lies_in_the_working_directory_is_not_read(self, away, complete):
        (complete / "secrets.env").rename(away / "secrets.env")
        for command in (("check",), ("secrets", "init")):
            result = san(*command, "../inventory.py")
            assert result.exit_code == 1
            assert f"{away}/secrets.env isn't beside the inventory: move it to" in result.stderr
            assert "run: san secrets init" not in result.stderr
        assert not (complete / "secrets.env").exists()

    def test_the_environment_names_another(self, away, complete, monkeypatch):
        (complete / "secrets.env").rename(away / "ours.env")
        monkeypatch.setenv("SAN_SECRETS_FILE", "ours.env")
        assert san("check", "../inventory.py").exit_code == 0

    def test_pyinfra_finds_them_too(self, away):
        run = subprocess.run(
            [Path(sys.executable).parent / "pyinfra", "../inventory.py", "debug-inventory"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=away,
        )
        assert run.returncode == 0, run.stderr


class TestCommand:
    def test_its_version(self):
        assert re.fullmatch(r"\S+ \d+\.\d+\.\d+\S*\n", san("--version").stdout)

    @pytest.mark.parametrize("words", [("-h",), ("check", "-h"), ("secrets", "init", "-h")])
    def test_help(self, words):
        result = san(*words)
        assert result.exit_code == 0
        assert "Usage: " in result.stdout


class TestSecretsInit:
    def test_it_supplies_what_lacks_and_says_no_secret(self, here):
        result = san("secrets", "init")

        assert result.exit_code == 0
        found = texts()
        assert set(found) == set(NAMES)
        assert len(found["CHAP_SECRET"]) == 16
        assert found["CHAP_SECRET"].isalnum()
        assert all(len(found[name]) == 40 for name in NAMES[1:])
        assert not any(text in result.output for text in found.values())
        assert san("check").exit_code == 0
        assert sorted(path.name for path in here.iterdir()) == ["inventory.py", "secrets.env"]

    @pytest.mark.usefixtures("here")
    def test_the_file_is_closed_to_others_whatever_the_umask(self):
        old = os.umask(0)
        try:
            san("secrets", "init")
        finally:
            os.umask(old)
        assert stat.S_IMODE(Path("secrets.env").stat().st_mode) == 0o600

    @pytest.mark.usefixtures("here")
    def test_it_keeps_what_is_there(self):
        Path("secrets.env").touch(mode=0o600)
        Path("secrets.env").write_text("# ours\nCHAP_SECRET=chosen-by-hand", encoding="utf-8")

        result = san("secrets", "init")

        lines = Path("secrets.env").read_text(encoding="utf-8").splitlines()
        assert lines[:2] == ["# ours", "CHAP_SECRET=chosen-by-hand"]
        assert len(lines) == 4
        assert "CHAP_SECRET: kept" in result.output
        assert "chosen-by-hand" not in result.output

    @pytest.mark.usefixtures("complete")
    def test_a_second_run_writes_nothing(self):
        before = Path("secrets.env").stat()
        result = san("secrets", "init")
        after = Path("secrets.env").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert result.output.count("kept") == 3

    @pytest.mark.usefixtures("here")
    def test_what_the_environment_has_is_not_made_anew(self, monkeypatch):
        monkeypatch.setenv("CHAP_SECRET", "from-environment")
        result = san("secrets", "init")
        assert "CHAP_SECRET" not in texts()
        assert "CHAP_SECRET: kept, from the environment" in result.output

    @pytest.mark.usefixtures("here")
    def test_a_file_open_to_others_is_left_alone(self):
        Path("secrets.env").write_text("CHAP_SECRET=a\n", encoding="utf-8")
        Path("secrets.env").chmod(0o644)
        result = san("secrets", "init")
        assert result.exit_code == 1
        assert "chmod 600" in result.stderr
        assert texts() == {"CHAP_SECRET": "a"}

    def test_an_interrupted_write_leaves_the_old_file(self, monkeypatch, here):
        Path("secrets.env").touch(mode=0o600)

        def interrupted(_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        san("secrets", "init")
        assert texts() == {}
        assert sorted(path.name for path in here.iterdir()) == ["inventory.py", "secrets.env"]

    @pytest.mark.usefixtures("here")
    def test_other_problems_do_not_hinder_it(self):
        write(REFERENCE.replace('"512M"', '"512"').replace('Secret("CHAP', 'Secret("chap'))
        assert san("secrets", "init").exit_code == 0
        assert set(texts()) == {"DRBD_SECRET", "HEARTBEAT_SECRET"}

    @pytest.mark.usefixtures("here")
    def test_an_inventory_that_is_no_python(self):
        write("(")
        result = san("secrets", "init")
        assert result.exit_code == 1
        assert "inventory.py:1: SyntaxError" in result.stderr

    @pytest.mark.usefixtures("here")
    def test_a_link_to_the_file_stays_a_link(self, tmp_path_factory):
        elsewhere = tmp_path_factory.mktemp("vault") / "san.env"
        Path("secrets.env").symlink_to(elsewhere)
        san("secrets", "init")
        assert Path("secrets.env").is_symlink()
        assert elsewhere.exists()


class TestPyinfra:
    """The real command: a bad inventory ends it before the first connection."""

    def run(self, *arguments):
        Path("deploy.py").write_text("open('deployed', 'w').close()\n", encoding="utf-8")
        return subprocess.run(
            [str(Path(sys.executable).parent / "pyinfra"), *arguments, "inventory.py", "deploy.py"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @pytest.mark.usefixtures("here")
    @pytest.mark.parametrize("options", [(), ("-y",), ("--dry",), ("--dry", "--json")])
    def test_it_prints_the_sentences_and_ends_with_1(self, options):
        write(REFERENCE.replace('"512M"', '"512"'))

        run = self.run(*options)

        assert run.returncode == 1
        sentences = [line for line in run.stderr.splitlines() if line.startswith("inventory: ")]
        assert len(sentences) == 4, run.stderr
        assert any("'512' is not a size with a unit" in line for line in sentences)
        assert "Traceback" not in run.stdout + run.stderr
        assert "onnect" not in run.stdout + run.stderr
        assert not Path("deployed").exists()

    @pytest.mark.usefixtures("complete")
    def test_a_cluster_can_be_shown(self):
        run = subprocess.run(
            [str(Path(sys.executable).parent / "pyinfra"), "inventory.py", "debug-inventory"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert "reference" in run.stdout + run.stderr
        assert not any(text in run.stdout + run.stderr for text in texts().values())
