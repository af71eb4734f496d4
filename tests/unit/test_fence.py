"""`san fence test`, with a stand-in for pyinfra."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from san.cli import main

ROOT = Path(__file__).parents[2]
FENCED = """
import os
from pathlib import Path
import attrs
from san.inventory import load
from san.model import Secret, Site, Stonith
os.environ["BMC_PASSWORD"] = "of-the-bmc"
(shipped,) = load(Path("{root}/inventory.py")).clusters
nodes = tuple(
    attrs.evolve(
        node,
        stonith=(
            Stonith("external/ipmi", {{"ipaddr": node.name}}, {{"passwd": Secret("BMC_PASSWORD")}}),
        ),
    )
    for node in shipped.nodes
)
site = Site((attrs.evolve(shipped, nodes=nodes, accept_no_fencing=None),))
nodes = site.nodes()
clients = site.initiators()
"""


def answer(ok, said=""):
    return {"node": "weasel", "number": 1, "plugin": "external/ipmi", "ok": ok, "said": said}


@pytest.fixture
def fence(tmp_path, monkeypatch):
    """Call `san fence test`; pyinfra then gives these answers."""
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, "sixteen-letters.")
    (tmp_path / "fenced.py").write_text(FENCED.format(root=ROOT))
    calls = []

    def stand_in(program, **_):
        calls.append(program)
        text = "" if stand_in.answers is False else json.dumps(stand_in.answers)
        why = "    [otter]  FactProcessError: the devices can't be asked: not found\n"
        return subprocess.CompletedProcess(program, 0, text, f"--> Connecting\n{why}--> Done\n")

    monkeypatch.setattr("san.fence.subprocess.run", stand_in)

    def call(answers, *words):
        found = {"facts.stonith.StonithDevices": {"otter": answers}}
        stand_in.answers = found if answers is not False else False
        inventory = ("--inventory", str(tmp_path / "fenced.py"))
        return CliRunner().invoke(main, ["fence", "test", *(words or ("weasel",)), *inventory])

    call.calls = calls
    return call


def test_the_peer_is_asked(fence):
    done = fence([answer(True)])

    assert done.exit_code == 0, done.output
    assert "weasel, from otter" in done.output
    assert fence.calls[0][1:4] == ["--json", "--limit", "otter"]


def test_a_device_that_fails(fence):
    done = fence([answer(True), answer(False, "no session")])

    assert done.exit_code == 1
    assert "failed: no session" in done.output


def test_as_json(fence):
    done = fence([answer(False, "no session")], "weasel", "--json")

    assert done.exit_code == 1
    assert json.loads(done.output) == {"ok": False, "devices": [answer(False, "no session")]}


@pytest.mark.parametrize("answers", [None, False])
def test_a_peer_that_can_not_ask(fence, answers):
    done = fence(answers)

    assert done.exit_code == 1
    assert "otter can't ask them: [otter]  FactProcessError: the devices can't be asked" in (
        done.output
    )


def test_a_node_that_is_not_there(fence):
    done = fence([], "stoat")

    assert done.exit_code == 2
    assert "no node 'stoat'; there is weasel, otter" in done.output
    assert "cluster 'mail' has no node" in fence([], "weasel", "--cluster", "mail").output


def test_a_node_without_a_device(monkeypatch):
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, "sixteen-letters.")
    inventory = ("--inventory", str(ROOT / "inventory.py"))
    done = CliRunner().invoke(main, ["fence", "test", "weasel", *inventory])

    assert done.exit_code == 2
    assert "weasel has no STONITH device" in done.output
