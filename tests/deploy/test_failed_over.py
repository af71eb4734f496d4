"""A cluster that has failed over stays failed over."""

import attrs
import pytest
from bed import ROOT
from test_changes import deadtime


@pytest.fixture
def failed_over(served):
    world = served.world
    world.fail_over()
    world.save(served.directory)
    return served


def test_nothing_changes(failed_over):
    before = failed_over.world.lasting()
    ran = failed_over.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert ran.changed == set()
    assert ran.commands == []
    assert failed_over.world.lasting() == before
    assert failed_over.world.serving() == "otter"


def test_sudo_goes_with_every_command(failed_over):
    """The lock's among them, which is root's, and is shown as the others are."""
    ran = failed_over.run("-y", "-vv", "--sudo")
    assert ran.returncode == 0, ran.output
    assert {each["kind"] for each in ran.log} == {"fact", "lock"}
    assert [each for each in ran.log if not each["wrapped"].startswith("sudo ")] == []
    assert ran.output.count(">>> ") == len(ran.log)


@pytest.mark.parametrize("how", [("-y",), ("--dry",), ("-y", "--parallel", "1")], ids=" ".join)
def test_sudo_of_an_operation_goes_with_all_that_it_asks(failed_over, how, tmp_path):
    """Its peer's facts among that, where no operation may be running."""
    text = (ROOT / "deploy.py").read_text()
    assert text.count("name=") > 20
    deploy = tmp_path / "sudo.py"
    deploy.write_text(text.replace("name=", "_sudo=True, name="))
    ran = failed_over.run(*how, deploy=str(deploy))
    assert ran.returncode == 0, ran.output
    assert [each for each in ran.log if not each["wrapped"].startswith("sudo ")] == []


def test_nothing_is_planned(failed_over):
    assert failed_over.run("--json", "--dry").planned == set()


def test_a_change_reaches_the_preferred_node_first_now_that_it_stands_by(failed_over):
    failed_over.declare(attrs.evolve(failed_over.cluster, **deadtime(failed_over.cluster)))
    ran = failed_over.run("-y")
    assert ran.returncode == 0, ran.output
    taken = [each for each in ran.commands if "san-install" not in each[1]]
    assert [host for host, _ in ran.commands] == ["weasel", "weasel", "otter", "otter", "otter"]
    assert taken == [
        ("weasel", "systemctl restart heartbeat.service"),
        ("otter", "modprobe softdog"),
        ("otter", "/usr/local/sbin/san-fence serial && /usr/libexec/heartbeat/heartbeat -r"),
    ]
    assert failed_over.world.serving() == "otter"
    assert failed_over.world.accidents == []


def test_a_node_whose_heartbeat_was_stopped_gets_it_back_and_takes_nothing(failed_over):
    failed_over.change(weasel=lambda node: setattr(node, "heartbeat", None))
    ran = failed_over.run("-y")
    assert ran.commands == [("weasel", "systemctl start heartbeat.service")]
    assert failed_over.world.serving() == "otter"
