"""deploy.py on real machines: from bare to serving, and the runs after that."""

import signal

import pytest

from san.lab.lifecycle import DEPLOYED
from tests.lab.cluster import (
    NODES,
    ON_DISK,
    connection,
    deploy,
    fenced,
    is_primary,
    kill,
    plan,
    read_until,
    serving,
    start,
    takes_over,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


def fingerprints(lab):
    return {host: lab.ssh(host, ON_DISK, timeout=300).stdout for host in NODES}


def generations(lab):
    return {node: lab.ssh(node, "drbdadm get-gi r0").stdout for node in NODES}


def test_a_dry_run_on_bare_nodes_shows_the_whole_plan_and_changes_nothing_on_disk(bare):
    before = fingerprints(bare)

    dry = plan()

    assert dry.returncode == 0, dry.stderr
    said = dry.stdout + dry.stderr
    for phase in ("Packages", "Networks", "Replication", "Volumes", "Cluster start", "Clients"):
        line = next(line for line in said.splitlines() if line.strip().startswith(phase))
        assert "weasel" in line or "badger" in line, f"no change planned: {line}"
    assert fingerprints(bare) == before


def test_runs_killed_anywhere_are_finished_by_the_next_which_then_changes_nothing(bare):
    for operation in ("Packages", "Replication, standby first", "Cluster start"):
        run = start()
        read_until(run, f"Starting operation: {operation}")
        kill(run)

    finished = deploy()

    assert finished.returncode == 0, finished.log
    assert finished.changed
    assert serving(bare) == "weasel"
    again = deploy()
    assert again.returncode == 0, again.log
    assert again.changed == 0, again.log
    assert max(again.commands_per_host.values()) <= 25
    bare.snapshot(DEPLOYED)


def test_a_run_while_failed_over_leaves_it_failed_over(deployed_lab):
    deployed_lab.ssh("weasel", "/usr/share/heartbeat/hb_standby all", timeout=60)
    takes_over(deployed_lab, "otter")

    run = deploy()

    assert run.returncode == 0, run.log
    assert run.changed == 0, run.log
    assert serving(deployed_lab) == "otter"


@pytest.mark.usefixtures("deployed_lab")
def test_a_second_run_is_refused_and_told_who_holds_the_lock():
    first = start()
    read_until(first, "Starting operation: Packages")
    first.send_signal(signal.SIGSTOP)  # it has the lock, and doesn't end before it is asked for

    second = deploy()

    kill(first)
    assert second.returncode == 1
    assert "another run holds the cluster's lock" in second.log
    assert f"process {first.pid}" in second.log
    assert "Traceback" not in second.log


def test_a_dead_peer_is_a_refusal_until_a_degraded_run_is_allowed(deployed_lab):
    deployed_lab.power_cut("otter")

    refused = deploy()
    allowed = deploy("--data", "allow_degraded=true")

    assert refused.returncode == 1
    assert "otter can't be reached" in refused.log
    assert "allow_degraded=true" in refused.log
    assert "Traceback" not in refused.log
    assert "can't be reached" not in allowed.log
    assert "--> Results:" in allowed.log  # pyinfra's status is 1 all the same: a host was away
    assert allowed.changed == 0, allowed.log
    assert is_primary(deployed_lab, "weasel")


def test_a_split_brain_is_a_refusal_and_both_sides_keep_what_they_have(deployed_lab):
    # A standby whose Heartbeat doesn't answer is neither outdated nor promoted; by force it is.
    deployed_lab.ssh("otter", "systemctl stop heartbeat", timeout=120)
    deployed_lab.link_cut("weasel", "replication")
    connection(deployed_lab, "otter", "WFConnection")
    fenced(deployed_lab, "weasel")
    promotion = deployed_lab.ssh("otter", "drbdadm primary r0", check=False, timeout=120)
    assert promotion.returncode != 0, "nobody is promoted beside a peer that may live"
    # Both change something, past the volume's end: nothing less is a split brain.
    deployed_lab.ssh("otter", "drbdadm primary --force r0", timeout=120)
    for node, mebibyte in (("otter", 900), ("weasel", 901)):
        change = f"dd if=/dev/urandom of=/dev/drbd0 bs=1M count=1 seek={mebibyte} oflag=direct"
        deployed_lab.ssh(node, f"{change} conv=notrunc")
    deployed_lab.ssh("otter", "drbdadm secondary r0")
    deployed_lab.link_up("weasel", "replication")
    connection(deployed_lab, "weasel", "StandAlone")
    before = generations(deployed_lab)

    refused = deploy()

    assert refused.returncode == 1
    assert "r0 has a split brain" in refused.log
    assert "docs/runbook.md, 'Split brain'" in " ".join(refused.log.split())
    assert "Traceback" not in refused.log
    assert generations(deployed_lab) == before
    assert serving(deployed_lab) == "weasel"


def test_a_volume_group_that_lies_on_another_disk_too_is_a_refusal(deployed_lab):
    deployed_lab.ssh("weasel", "vgextend --yes storage /dev/disk/by-id/virtio-spare")

    refused = deploy()

    assert refused.returncode == 1
    assert "'storage' lies on" in refused.log
    assert "Traceback" not in refused.log


def test_a_disk_that_carries_a_file_system_is_a_refusal(bare):
    bare.ssh("otter", "mkfs.ext4 -q /dev/disk/by-id/virtio-data", timeout=120)
    before = fingerprints(bare)

    refused = deploy()

    assert refused.returncode == 1
    assert "it carries ext4" in refused.log
    assert "Traceback" not in refused.log
    assert fingerprints(bare) == before
