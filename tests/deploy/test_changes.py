"""A changed inventory: the standby first, then the serving node, which is never stopped."""

import re

import attrs
import pytest
from bed import SECRETS

from san.model import Acl, Bcast, Lun, Portal, Secret, Serial, Target, Volume, VolumeGroup

MOVING = re.compile(
    r"systemctl (stop|restart|try-restart) |hb_standby|hb_takeover| stop$|drbdadm (down|secondary|"
    r"disconnect|detach|invalidate)|vgchange|lvremove|lvreduce|vgremove|pvremove|wipefs"
)


def deadtime(cluster):
    return {"heartbeat": attrs.evolve(cluster.heartbeat, deadtime=8)}


def address_agent(_):
    return {"address_agent": "IPaddr"}


def alias(cluster):
    return {"targets": (attrs.evolve(cluster.targets[0], chap=None),)}


def volume_and_lun(cluster):
    (group,) = cluster.volume_groups
    (target,) = cluster.targets
    return {
        "volume_groups": (attrs.evolve(group, volumes=(*group.volumes, Volume("more", "64M"))),),
        "targets": (attrs.evolve(target, luns=(*target.luns, Lun(2, "storage/more"))),),
    }


def volume_and_target(cluster):
    (group,) = cluster.volume_groups
    more = Target("iqn.2009-02.com.example:more", luns=(Lun(1, "storage/more"),))
    return {
        "volume_groups": (attrs.evolve(group, volumes=(*group.volumes, Volume("more", "64M"))),),
        "targets": (*cluster.targets, more),
    }


def larger_volume(cluster):
    (group,) = cluster.volume_groups
    return {"volume_groups": (attrs.evolve(group, volumes=(Volume("test", "600M"),)),)}


def another_portal(_):
    return {"portals": (Portal("192.168.1.1/24"), Portal("192.168.2.9/24"))}


def drbd_port(cluster):
    (resource,) = cluster.resources
    return {"resources": (attrs.evolve(resource, port=7799),)}


CHANGES = (
    deadtime,
    address_agent,
    alias,
    volume_and_lun,
    volume_and_target,
    larger_volume,
    another_portal,
    drbd_port,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_it_reaches_the_standby_first_and_stops_nothing(served, change):
    served.declare(attrs.evolve(served.cluster, **change(served.cluster)))
    planned = served.run("--json", "--dry")
    assert planned.returncode == 0, planned.output
    ran = served.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert ran.changed
    assert ran.changed <= planned.planned, "the plan is whole"
    written = [host for host, command in ran.commands if "san-install" in command]
    both = [host for host in written if host != "badger"]
    assert both == sorted(both), "all of otter's files come before the first of weasel's"
    assert [
        words for host, words in ran.commands if host == "weasel" and MOVING.search(words)
    ] == []
    world = served.world
    assert world.accidents == []
    assert world.serving() == "weasel"
    for name in ("weasel", "otter"):
        node = world.machines[name]
        assert node.replicas["r0"].applied == node.text("/etc/drbd.d/r0.res")
    assert world.machines["weasel"].targets == world.machines["weasel"].text("/etc/san/stgt.conf")
    again = served.run("--json", "-y")
    assert again.returncode == 0, again.output
    assert again.changed == set()


def test_heartbeat_takes_its_settings_up_on_the_standby_first_and_keeps_what_it_holds(served):
    served.declare(attrs.evolve(served.cluster, **deadtime(served.cluster)))
    ran = served.run("--json", "-y")
    taken = [
        (host, command.split()[-2:])
        for host, command in ran.commands
        if "heartbeat" in command and "san-install" not in command and "cl_status" not in command
    ]
    assert taken == [
        ("otter", ["restart", "heartbeat.service"]),
        ("weasel", ["/usr/libexec/heartbeat/heartbeat", "-r"]),
    ]
    nodes = (served.world.machines[name] for name in ("weasel", "otter"))
    assert [node.heartbeat[0] == node.text("/etc/ha.d/ha.cf") for node in nodes] == [True, True]
    assert served.world.accidents == []
    assert served.world.serving() == "weasel"
    assert served.run("--json", "-y").changed == set()


def test_beside_a_peer_that_is_away_heartbeat_goes_on_as_it_is(served):
    """Its new process would take the peer for silent, and with STONITH reset it."""
    served.declare(attrs.evolve(served.cluster, **deadtime(served.cluster)))
    served.change(otter=lambda node: setattr(node, "reachable", False))
    ran = served.run("-y", "--data", "allow_degraded=true")
    assert "ha.cf takes effect in a run that sees both nodes" in ran.output
    assert [words for _, words in ran.commands if "heartbeat -r" in words] == []
    served.change(otter=lambda node: setattr(node, "reachable", True))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert len([words for _, words in ran.commands if "heartbeat -r" in words]) == 1


def links(cluster, *links):
    return attrs.evolve(cluster, heartbeat=attrs.evolve(cluster.heartbeat, links=links))


CABLE, SECOND, THIRD = Bcast("replication"), Serial("/dev/ttyS2"), Serial("/dev/ttyS3")


def taken(ran):
    """Which nodes' Heartbeats were started anew."""
    words = ("systemctl restart heartbeat", "heartbeat -r")
    return [host for host, command in ran.commands if any(each in command for each in words)]


def test_links_do_not_change_upon_those_that_are_not_in_force(served):
    """{eth1, ttyS1}, {eth1, ttyS2}, {ttyS2, ttyS3}: each step shares a link with the one before."""
    first, process = served.cluster, served.world.machines["weasel"].heartbeat
    served.declare(links(first, CABLE, SECOND))
    assert taken(served.run("-y")) == ["otter", "weasel"]
    served.change(weasel=lambda node: setattr(node, "heartbeat", process))
    served.declare(links(first, SECOND, THIRD))
    ran = served.run("-y")
    assert "Heartbeat on weasel runs by an older ha.cf than lies there" in ran.refusal
    assert taken(ran) == []
    served.declare(links(first, CABLE, SECOND))
    assert taken(served.run("-y")) == ["weasel"], "what lies there comes into force"


def test_a_standby_stays_as_it_is_too_where_its_peer_cannot_be_seen(served):
    served.declare(attrs.evolve(served.cluster, **deadtime(served.cluster)))
    served.change(weasel=lambda node: setattr(node, "reachable", False))
    ran = served.run("-y", "--data", "allow_degraded=true")
    assert "ha.cf takes effect in a run that sees both nodes" in ran.output
    assert taken(ran) == []


def test_kernel_settings_that_the_file_has_and_the_kernel_has_not_are_loaded(served):
    """As where the run ended between the two, or somebody has set another value since."""
    served.change(otter=lambda node: setattr(node, "arp_filter", False))
    ran = served.run("-y")
    assert ran.commands == [("otter", "sysctl -q --load /etc/sysctl.d/60-san.conf")]
    assert served.run("-y").commands == []


def test_links_are_compared_with_the_serving_node_s_too(served):
    """Where the run ended between the turns, and the inventory went on."""
    first = served.cluster
    served.declare(links(first, CABLE, SECOND))
    old = served.world.machines["weasel"].files
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    heartbeat = (old["/etc/ha.d/ha.cf"][0], old["/etc/ha.d/authkeys"][0])

    def behind(node):
        node.files["/etc/ha.d/ha.cf"] = old["/etc/ha.d/ha.cf"]
        node.heartbeat = heartbeat

    served.change(weasel=behind)
    served.declare(links(first, SECOND, THIRD))
    ran = served.run("-y")
    assert "none of the links of Heartbeat on weasel" in ran.refusal
    assert taken(ran) == []


def test_a_new_key_is_refused_while_the_peer_runs_by_the_old_one(served):
    """Stopped on the standby alone: started again, it would hear nobody."""
    served.change(otter=lambda node: setattr(node, "heartbeat", None))
    ran = served.run("-y", HEARTBEAT_SECRET="another-heartbeat-1")
    assert "Heartbeat's key differs from the inventory's secret, and it runs on weasel" in (
        ran.refusal
    )
    assert not [words for _, words in ran.commands if "authkeys" in words]


def test_a_key_that_somebody_put_there_is_judged_before_a_restart_takes_it(served):
    """The standby's file has the inventory's new key already; its peer runs by the old one."""
    new = {"HEARTBEAT_SECRET": "another-heartbeat-1"}

    def by_hand(node):
        content, mode = node.files["/etc/ha.d/authkeys"]
        old = SECRETS["HEARTBEAT_SECRET"]
        node.files["/etc/ha.d/authkeys"] = (content.replace(old, new["HEARTBEAT_SECRET"]), mode)

    served.change(otter=by_hand)
    served.declare(attrs.evolve(served.cluster, **deadtime(served.cluster)))
    ran = served.run("-y", **new)
    assert "Heartbeat's key differs from the inventory's secret, and it runs on weasel" in (
        ran.refusal
    )
    assert taken(ran) == []


def test_networkd_is_told_where_it_can_be(served):
    """A host without D-Bus has no networkctl that reaches it."""
    networks = tuple(
        attrs.evolve(each, mtu=9000 if each.name == "path-a" else None)
        for each in served.cluster.networks
    )
    served.declare(attrs.evolve(served.cluster, networks=networks))
    served.change(otter=lambda node: setattr(node, "bus", False))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    told = [name for name, words in ran.commands if words == "networkctl reload"]
    assert sorted(told) == ["badger", "weasel"]


def test_a_new_key_with_heartbeat_stopped_on_both(stopped):
    ran = stopped.run("-y", HEARTBEAT_SECRET="another-heartbeat-1")
    assert ran.returncode == 0, ran.output
    assert {node.heartbeat[1] for node in stopped.world.nodes("reference")} == {
        "auth 1\n1 sha1 another-heartbeat-1\n"
    }


# --- Comparisons of the replicated disks ----------------------------------------------------------


def test_the_timer_of_the_comparisons_runs_on_both_nodes(served):
    for node in served.world.nodes("reference"):
        assert "san-verify.timer" in node.running
        assert "/etc/systemd/system/timers.target.d/san-verify.conf" in node.files


def test_blocks_that_differ_are_no_healthy_cluster(served):
    served.change(weasel=lambda node: setattr(node.replicas["r0"], "changed", 8))
    ran = served.run("-y")
    assert "8 KiB of r0 differ between the nodes, by what weasel found" in ran.refusal


def test_a_comparison_that_is_overdue_is_told_and_is_no_failure(served):
    served.change(otter=lambda node: setattr(node, "compared", "r0 1700000000 0"))
    for arguments in (("--dry",), ("-y",)):
        ran = served.run(*arguments)
        assert ran.returncode == 0, ran.output
        assert ran.output.count("r0 was last compared between the nodes, in ") == 1


def test_a_client_whose_secret_changed_logs_in_by_the_new_one(served, monkeypatch):
    """Its sessions prove the old one for as long as they live, and iscsid's restart keeps them."""
    monkeypatch.setenv("OTHER", "secret-of-chap-2")
    (target,) = served.cluster.targets
    chap = attrs.evolve(target.chap, secret=Secret("OTHER"))
    served.declare(attrs.evolve(served.cluster, targets=(attrs.evolve(target, chap=chap),)))
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    done = [words for name, words in ran.commands if name == "badger"]
    sessions = [words.split()[-2:] for words in done if "iscsiadm" in words]
    portals = ("192.168.1.1:3260", "192.168.2.1:3260")
    assert sessions == [[at, act] for at in portals for act in ("--logout", "--login")]
    restarts = [at for at, words in enumerate(done) if "restart iscsid" in words]
    assert max(at for at, words in enumerate(done) if "iscsiadm" in words) < min(restarts)
    assert served.run("-y").commands == []


def test_a_session_with_somebody_elses_target_is_no_business_of_ours(served):
    """Its record has another secret than it has proved; the operator may have a reason."""

    def elsewhere(client):
        target, portal = "iqn.2009-02.com.example:elsewhere", "10.9.9.9"
        record = f"{client.records}/{target}/{portal},3260,1/default"
        client.files[record] = ("node.session.auth.password = new\n", 0o600)
        client.sessions.append((target, portal))
        client.proved[record] = ["node.session.auth.password = old"]

    served.change(badger=elsewhere)
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert ran.commands == []


# --- Targets and volumes --------------------------------------------------------------------------


def test_a_target_that_does_not_follow_its_file_is_told_again(served):
    """A run that was refused, or somebody's tgtadm: the names and LUNs are right, CHAP is gone."""

    def without_chap(weasel):
        lines = weasel.targets.splitlines(keepends=True)
        weasel.targets = "".join(line for line in lines if not line.startswith("chap "))
        assert weasel.targets != weasel.text("/etc/san/stgt.conf")

    served.change(weasel=without_chap)
    ran = served.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert len(ran.changed) == 1
    weasel = served.world.machines["weasel"]
    assert weasel.targets == weasel.text("/etc/san/stgt.conf")


def test_the_volumes_are_as_declared(served):
    served.declare(attrs.evolve(served.cluster, **volume_and_lun(served.cluster)))
    served.run("-y")
    served.declare(
        attrs.evolve(
            served.cluster,
            **{
                **volume_and_lun(served.cluster),
                "volume_groups": (
                    VolumeGroup(
                        "storage", ("r0",), (Volume("test", "600M"), Volume("more", "64M"))
                    ),
                ),
                "targets": served.cluster.targets,
            },
        )
    )
    ran = served.run("-y")
    assert ran.returncode == 0, ran.output
    assert served.world.logical == {"reference": {"storage": {"test": 600 << 20, "more": 64 << 20}}}


def test_a_smaller_volume_is_refused_before_anything_is_changed(served):
    before = served.world.lasting()
    smaller = VolumeGroup("storage", ("r0",), (Volume("test", "256M"),))
    served.declare(attrs.evolve(served.cluster, volume_groups=(smaller,)))
    for arguments in (("--dry",), ("-y",)):
        refusal = served.run(*arguments).refusal
        assert "storage/test has 536870912 bytes, the inventory says 256M" in refusal
        assert "a volume is never shrunk" in refusal
    assert served.world.lasting() == before


def test_the_plan_names_a_client_that_may_no_longer_be_logged_in(served):
    session = ["        I_T nexus: 1", "            Initiator: iqn.2009-02.com.example:badger"]
    served.change(weasel=lambda node: node.nexuses.extend(session))
    named = "iqn.2009-02.com.example:badger at iqn.2009-02.com.example:test is logged in"
    assert named not in served.run("--dry").output
    other = Acl(("iqn.2009-02.com.example:other",))
    target = attrs.evolve(served.cluster.targets[0], acl=other)
    served.declare(attrs.evolve(served.cluster, clients=(), targets=(target,)))
    assert named in " ".join(served.run("--dry").output.split())
