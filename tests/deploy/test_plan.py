"""What a run says beforehand: each command, each file, and with --diff each line; no secret."""

import re

import attrs
import pytest

from san.model import Secret, Volume


def told(ran):
    """The plan's lines: host, operation, and what it would do."""
    found = re.findall(r"^ *\[@fake/(\w+)\] +([^:\n]+): (.*)$", ran.output, re.MULTILINE)
    return [each for each in found if each[1] != "Ready" and not each[1].startswith("Loaded")]


def does(ran, host, operation):
    return [what for where, which, what in told(ran) if (where, which) == (host, operation)]


def test_a_bare_clusters_plan_is_whole(bare):
    ran = bare.run("--dry")
    assert ran.returncode == 0, ran.output
    volumes = does(ran, "weasel", "Volumes")
    assert [what.split()[0] for what in volumes] == [
        "drbdadm", "pvcreate", "vgcreate", "lvcreate", "vgchange", "drbdadm",
    ]  # fmt: skip
    files = does(ran, "otter", "Cluster files, standby first")
    assert "install /etc/ha.d/ha.cf (0644, new)" in files
    assert "install /etc/ha.d/authkeys (0600, new)" in files
    assert any(what.startswith("drbdadm create-md") for what in does(
        ran, "otter", "Replication, standby first"
    ))  # fmt: skip
    assert ran.commands == []


def test_a_plan_of_no_change_tells_nothing(served):
    assert told(served.run("--dry")) == []


def changed(bed, **timing):
    cluster = bed.cluster
    bed.declare(attrs.evolve(cluster, timing=attrs.evolve(cluster.timing, **timing)))


@pytest.mark.parametrize("arguments", [("--dry", "--diff"), ("-y", "--diff")])
def test_a_diff_masks_what_is_secret(served, arguments):
    changed(served, connect_int=4)
    ran = served.run(*arguments, "-vvv")
    assert ran.returncode == 0, ran.output
    lines = does(ran, "otter", "Replication, standby first")
    assert "install /etc/drbd.d/r0.res (0600, changed)" in lines
    assert "-        connect-int 3;  # seconds" in lines
    assert "+        connect-int 4;  # seconds" in lines
    assert not any("shared-secret" in line and "****" not in line for line in lines)
    assert "secret-of-" not in ran.output


def test_a_diff_masks_what_an_operator_wrote_into_a_file_of_ours(served):
    def device(node):
        content, mode = node.files["/etc/ha.d/ha.cf"]
        line = "stonith_host weasel external/ipmi otter 10.0.0.9 ADMIN TOPsecretPW lan\n"
        node.files["/etc/ha.d/ha.cf"] = (content + line, mode)

    served.change(otter=device)
    ran = served.run("--dry", "--diff")
    lines = does(ran, "otter", "Cluster files, standby first")
    assert "-stonith_host weasel external/ipmi ****" in lines
    assert not any(line.startswith("+") for line in lines)
    assert "TOPsecretPW" not in ran.output


def test_without_diff_no_line_of_a_file(served):
    changed(served, connect_int=4)
    ran = served.run("--dry")
    assert "install /etc/drbd.d/r0.res (0600, changed)" in ran.output
    assert "connect-int" not in ran.output


def test_neither_an_old_secret_nor_a_new_one_is_shown(served, monkeypatch):
    monkeypatch.setenv("OTHER", "secret-of-chap-2")
    (target,) = served.cluster.targets
    chap = attrs.evolve(target.chap, secret=Secret("OTHER"))
    served.declare(attrs.evolve(served.cluster, targets=(attrs.evolve(target, chap=chap),)))
    ran = served.run("--dry", "--diff", "-vvv", "--debug")
    assert ran.returncode == 0, ran.output
    lines = does(ran, "weasel", "Targets, serving node")
    assert "install /etc/san/stgt.conf (0600, changed), then" in " ".join(lines)
    assert "what differs is masked" in " ".join(lines)
    assert "secret-of-" not in ran.output


def test_a_mode_is_told(served):
    def closed(node):
        content, _ = node.files["/etc/ha.d/haresources"]
        node.files["/etc/ha.d/haresources"] = (content, 0o600)

    served.change(otter=closed)
    lines = does(served.run("--dry"), "otter", "Cluster files, standby first")
    assert lines[0] == "install /etc/ha.d/haresources (0644, 0600 and root before)"


def test_a_refusal_stands_first_on_its_line(bare):
    bare.change(otter=lambda node: node.addresses.pop("eth1"))
    ran = bare.run("--dry")
    assert ran.returncode == 1
    assert "error in" not in ran.output
    assert any(
        line.startswith("otter: it has no interface eth1") for line in ran.output.split("\n")
    )


@pytest.mark.parametrize(
    "fact",
    ["drbd.Drbd", "drbd_content.DrbdContent", "drbd_history.DrbdHistory", "files.Files",
     "files.Texts", "stonith.Stonith", "lvm.Lvm", "network.Network", "packages.Packages",
     "heartbeat.Heartbeat"],
)  # fmt: skip
def test_facts_are_called_without_arguments(served, fact):
    ran = served.run("--json", deploy=("fact", f"facts.{fact}"))
    assert ran.returncode == 0, ran.output
    assert "internal exception" not in ran.output
    if fact == "drbd.Drbd":
        assert '"r0"' in ran.output


def test_a_volume_that_has_the_rest(bare):
    (group,) = bare.cluster.volume_groups
    volumes = (Volume("test", "100%FREE"),)
    bare.declare(attrs.evolve(bare.cluster, volume_groups=(attrs.evolve(group, volumes=volumes),)))
    volumes = does(bare.run("--dry"), "weasel", "Volumes")
    assert any("--extents 100%FREE" in what for what in volumes)
