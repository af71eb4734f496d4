"""From bare hosts to a cluster that serves; what the plan says of it; what a second run costs."""

import attrs
from bed import Bed

from san.model import Site

BUDGET = 10
"""Remote commands a host for a run that changes nothing."""


def test_a_dry_run_changes_nothing(bare):
    before = bare.world
    ran = bare.run("--dry")
    assert ran.returncode == 0, ran.output
    assert {each["kind"] for each in ran.log} == {"fact"}
    assert bare.world == before


def test_the_plan_on_bare_hosts_is_whole(bare):
    """Every operation that changes something later is in it."""
    plan = bare.run("--json", "--dry")
    real = bare.run("--json", "-y")
    assert real.returncode == 0, real.output
    assert plan.planned == real.changed


def test_a_client_with_another_place_for_node_records(bare):
    """Debian 13's open-iscsi reads no record in Debian 12's place."""
    bare.change(badger=lambda client: setattr(client, "records", "/var/lib/iscsi/nodes"))
    ran = bare.run("-y")
    assert ran.returncode == 0, ran.output
    assert len(bare.world.machines["badger"].sessions) == 2
    assert bare.run("--json", "-y").changed == set()


def test_it_converges(served, first_run):
    assert first_run.returncode == 0, first_run.output
    world = served.world
    assert world.serving() == "weasel"
    assert world.accidents == []
    for name in ("weasel", "otter"):
        node = world.machines[name]
        assert world.device(node, "r0")[2] == "UpToDate/UpToDate"
        assert "tgt.service" in node.masked
        assert {"heartbeat.service", "drbd.service"} <= node.enabled
        assert node.heartbeat is not None
    assert world.machines["otter"].targets is None, "no target daemon on the standby"
    assert {portal for _, portal in world.machines["badger"].sessions} == {
        "192.168.1.1",
        "192.168.2.1",
    }


def test_hosts_with_names_of_their_own(bare, tmp_path):
    """eth1 here, eno1 there: deployed, whole, and at rest whoever serves."""
    own = {"otter": "eno{}", "badger": "enp{}s0"}
    networks = tuple(
        attrs.evolve(
            network, interfaces={host: name.format(at) for host, name in own.items() if at}
        )
        for at, network in enumerate(bare.cluster.networks)
    )
    (tmp_path / "own").mkdir()
    bed = Bed(tmp_path / "own", Site((attrs.evolve(bare.cluster, networks=networks),)))
    ran = bed.run("-y")
    assert ran.returncode == 0, ran.output
    assert bed.world.machines["otter"].addresses["eno1"] == ["10.10.10.2/24"]
    assert bed.run("-y", "--json").changed == set()
    world = bed.world
    world.fail_over()
    world.save(bed.directory)
    assert bed.world.machines["otter"].addresses["eno2"] == ["192.168.1.1/24"]
    assert bed.run("-y", "--json").changed == set()


def test_every_secret_lands_in_a_closed_file(served):
    for machine in served.world.machines.values():
        for path, (content, mode) in machine.files.items():
            if "secret-of-" in content:
                assert mode == 0o600, path


def test_a_second_run_changes_nothing(served):
    before = served.world.lasting()
    ran = served.run("-y", "--json")
    assert ran.returncode == 0, ran.output
    assert ran.changed == set()
    assert {each["kind"] for each in ran.log} == {"fact", "lock"}
    assert served.world.lasting() == before


def test_whether_it_serves_is_asked_at_the_end(served):
    """What was read at the beginning of a long run is no proof."""
    ran = served.run("-y")
    for name in ("weasel", "otter"):
        asked = [each["command"] for each in ran.log if each["host"] == name]
        for section in ("kernel", "cluster", "stgt", "watch"):
            assert sum(f"[san:begin {section}]" in command for command in asked) == 2
        assert "[san:begin watch]" in asked[-1] or "[san:begin report]" in asked[-1]
    last = [each["command"] for each in ran.log if each["host"] == "badger"][-1]
    assert "[san:begin initiator]" in last


def test_the_plan_of_a_second_run_is_empty(served):
    assert served.run("--json", "--dry").planned == set()


def test_a_run_that_changes_nothing_keeps_its_budget(served, capsys):
    """In interactive mode, which reads the facts twice: for the plan, and after the prompt."""
    ran = served.run()
    assert ran.returncode == 0, ran.output
    assert "Beginning operation run" in ran.output
    counts = dict(sorted(ran.per_host.items()))
    with capsys.disabled():
        print(f"\nremote commands of an interactive run that changes nothing: {counts}")
    assert max(counts.values()) <= BUDGET
    assert counts == {"badger": 5, "otter": 6, "weasel": 9}
