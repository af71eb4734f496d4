"""A node's BMC without a lab: what it answers, by what is broken and by what the machine is."""

from types import SimpleNamespace

import pytest

from san.lab.bmc_server import DONE, FAILED, NOT_NOW, NodeBmc
from san.lab.errors import LabError
from san.lab.state import Faults


class Lab:
    """A node with a switch."""

    def __init__(self) -> None:
        self.on = True
        self.done: list[str] = []
        self.faults = Faults()

    @property
    def state(self) -> SimpleNamespace:
        if self.faults is None:
            raise LabError("no lab yet")
        return SimpleNamespace(faults=self.faults)

    def powered(self, host: str) -> bool:
        assert host == "weasel"
        return self.on

    def power_cut(self, _: str) -> None:
        self.on = False
        self.done.append("off")

    def power_on(self, _: str) -> None:
        self.on = True
        self.done.append("on")

    def reset(self, _: str) -> None:
        self.done.append("reset")


@pytest.fixture
def bmc(monkeypatch: pytest.MonkeyPatch) -> NodeBmc:
    """A BMC that no port is opened for."""
    monkeypatch.setattr("pyghmi.ipmi.bmc.Bmc.__init__", lambda *_, **__: None)
    return NodeBmc(Lab(), "weasel", 0)


def test_power(bmc: NodeBmc):
    assert bmc.get_power_state() == "on"
    assert (bmc.power_on(), bmc.lab.done) == (DONE, [])
    assert bmc.power_reset() == DONE
    assert bmc.power_cycle() == DONE
    assert bmc.power_off() == DONE
    assert bmc.get_power_state() == "off"
    assert (bmc.power_reset(), bmc.power_cycle()) == (NOT_NOW, NOT_NOW)
    assert bmc.power_on() == DONE
    assert bmc.lab.done == ["reset", "off", "on", "off", "on"]


def test_one_that_lies_does_nothing_and_tells_the_power_as_it_is(bmc: NodeBmc):
    bmc.lab.faults = Faults(bmc_lie=("weasel",))

    assert (bmc.power_off(), bmc.power_reset(), bmc.power_cycle()) == (DONE, DONE, DONE)
    assert bmc.lab.done == []
    assert bmc.get_power_state() == "on"


def test_one_that_is_cut_says_nothing(bmc: NodeBmc, monkeypatch: pytest.MonkeyPatch):
    heard: list[object] = []
    for name in ("sessionless_data", "handle_raw_request"):
        monkeypatch.setattr(f"pyghmi.ipmi.bmc.Bmc.{name}", lambda _, what, __: heard.append(what))
    for faults in (Faults(bmc_cut=("weasel",)), Faults(bmc_cut=("otter",))):
        bmc.lab.faults = faults
        bmc.sessionless_data(b"packet", None)
        bmc.handle_raw_request("request", None)

    assert heard == [b"packet", "request"]


def test_what_fails_is_no_success(bmc: NodeBmc, monkeypatch: pytest.MonkeyPatch):
    def fails(_: str) -> None:
        raise LabError("QEMU doesn't start")

    monkeypatch.setattr(bmc.lab, "reset", fails)
    assert bmc.power_reset() == FAILED


def test_it_answers_while_the_lab_is_starting(bmc: NodeBmc):
    bmc.lab.faults = None

    assert bmc.get_power_state() == "on"
    assert bmc.power_off() == DONE
