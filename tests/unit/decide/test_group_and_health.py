"""What the serving node lacks of its group, and what is not yet healthy."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import checked, device, drbd, lvm, network

from san.decide.group import Holdings, lacking
from san.decide.health import comparison_overdue, paths_amiss, replication_amiss
from san.decide.software import software
from san.decide.target import new_sizes_left, revoked, serves_exactly
from san.model import Acl, Everyone, Lun, Volume
from san.observe.drbd import Comparison
from san.observe.initiator import InitiatorState, Session
from san.observe.multipath import MultipathMap, Path
from san.observe.stgt import WATCH, StgtLun, StgtSession, StgtState, StgtTarget
from san.render.haresources import resources
from san.render.stgt import wwid

PORTALS = {"eth2": ("192.168.1.1/24",), "eth3": ("192.168.2.1/24",)}


def holdings(*, primary=True, active=True, portals=PORTALS, arp_filter=True, served=True):
    volumes = lvm([("/dev/drbd0", "storage")], [("storage", "test", 512 << 20)])
    return Holdings(
        drbd(device("Primary" if primary else "Secondary")),
        attrs.evolve(
            volumes,
            logical_volumes=tuple(
                attrs.evolve(each, active=active) for each in volumes.logical_volumes
            ),
        ),
        network(arp_filter=arp_filter, **portals),
        targets_served=served,
    )


def test_a_serving_node_lacks_nothing(cluster):
    assert list(lacking(cluster, holdings())) == []


def test_a_node_that_holds_nothing_lacks_all_in_starting_order(cluster):
    nothing = holdings(primary=False, active=False, portals={}, arp_filter=False, served=False)
    assert ["::".join(each) for each in lacking(cluster, nothing)] == list(resources(cluster))


def test_a_group_without_volumes_is_not_active(cluster):
    assert len(list(lacking(cluster, attrs.evolve(holdings(), lvm=lvm())))) == 1


@pytest.mark.parametrize("state", [False, None])
def test_a_declared_volume_that_is_not_active_is_lacking(cluster, state):
    found = holdings(active=state)
    assert [each[0] for each in lacking(cluster, found)] == ["volume-group"]


@pytest.mark.parametrize("other", ["test-snapshot", "pool", "another"])
def test_what_else_is_in_the_group_is_nobodys_to_wait_for(cluster, other):
    """LVM activates a thin snapshot only by its name: waiting for it would never end."""
    found = holdings()
    (declared,) = found.lvm.logical_volumes
    more = attrs.evolve(declared, name=other, active=False)
    lvm_state = attrs.evolve(found.lvm, logical_volumes=(declared, more))
    assert list(lacking(cluster, attrs.evolve(found, lvm=lvm_state))) == []


def test_another_groups_volume_of_that_name_is_not_the_declared_one(cluster):
    found = holdings()
    elsewhere = lvm([("/dev/sdc", "other")], [("other", "test", 512 << 20)])
    assert [each[0] for each in lacking(cluster, attrs.evolve(found, lvm=elsewhere))] == [
        "volume-group"
    ]


def test_a_portal_on_another_interface_or_prefix_is_lacking(cluster):
    swapped = {"eth3": ("192.168.1.1/24",), "eth2": ("192.168.2.1/16",)}
    portals = list(lacking(cluster, holdings(portals=swapped)))
    assert [each[1] for each in portals] == ["192.168.1.1/24/eth2", "192.168.2.1/24/eth3"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(primary=st.booleans(), active=st.booleans(), arp_filter=st.booleans(), served=st.booleans())
def test_one_thing_missing_is_one_resource(cluster, primary, active, arp_filter, served):
    found = holdings(primary=primary, active=active, arp_filter=arp_filter, served=served)
    expected = [primary, active, arp_filter, served].count(False)
    assert len(list(lacking(cluster, found))) == expected


# --- Health ---------------------------------------------------------------------------------------


def test_replication_at_rest(cluster):
    states = {"weasel": drbd(device("Primary")), "otter": drbd(device())}
    assert replication_amiss(cluster, states) is None


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "r0 isn't configured on otter"),
        (device(disk="Inconsistent"), "r0 on otter is Connected, Inconsistent/UpToDate"),
        (
            device(out_of_sync=8),
            (
                "8 KiB of r0 differ between the nodes, by what otter found when it compared them, "
                "and one of two copies is wrong; docs/runbook.md, 'Blocks that differ'"
            ),
        ),
        (device(connection="WFConnection"), "r0 on otter is WFConnection, UpToDate/UpToDate"),
        (
            device(connection="StandAlone"),
            (
                "r0 is StandAlone on otter: DRBD gave up the connection, for a reason that "
                "journalctl -k tells; mend that, then drbdadm connect r0"
            ),
        ),
    ],
)
def test_replication_amiss(cluster, found, says):
    assert replication_amiss(cluster, {"weasel": drbd(device()), "otter": drbd(found)}) == says


DAY = 24 * 3600


def compared(at, differs=0, scheduled=0.0):
    found = {} if at is None else {"r0": Comparison(at * DAY, differs)}
    return drbd(device(), compared=found, scheduled=scheduled)


@pytest.mark.parametrize(
    ("weasel", "otter", "says"),
    [
        (compared(50), compared(60), None),
        (compared(60), compared(None), None),
        (compared(20), compared(30), "r0 was last compared between the nodes, in 40 days"),
        (compared(None), compared(None), "r0 was never compared between the nodes, in 70 days"),
        (compared(None, scheduled=60 * DAY), compared(None, scheduled=69 * DAY), None),
        (compared(None, scheduled=None), compared(None, scheduled=None), None),
        (compared(69), compared(68, 4), None),
        (compared(68), compared(69, 4), "4 KiB of r0 differed when it was compared last"),
    ],
)
def test_a_comparison_that_is_overdue_is_told(cluster, weasel, otter, says):
    """Of the two nodes' timers the last one counts."""
    said = comparison_overdue(cluster, {"weasel": weasel, "otter": otter}, 70.0 * DAY)
    assert (said is None) if says is None else said.startswith(says)


def client(*maps, sessions=()):
    return InitiatorState(
        installed=True,
        name="iqn.2009-02.com.example:badger",
        iscsid_running=True,
        boot={},
        settings=None,
        nodes=(),
        sessions=sessions,
        records="/etc/iscsi/nodes",
        multipath_installed=True,
        multipathd_running=True,
        multipath_conf=True,
        maps=maps,
    )


def a_map(cluster, *states):
    name = wwid(cluster.targets[0], cluster.targets[0].luns[0])
    paths = tuple(
        Path(f"sd{chr(ord('a') + at)}", None, state, "ready", "running")
        for at, state in enumerate(states)
    )
    return MultipathMap(name, name, "dm-0", "on", paths)


def sessions(cluster, *portals):
    """A session at each of the portals, with a disk: sda, sdb, …"""
    name = cluster.targets[0].name
    return tuple(
        Session(at, name, portal, 3260, "LOGGED_IN", 5, (f"sd{chr(ord('a') + at)}",))
        for at, portal in enumerate(portals)
    )


@pytest.mark.parametrize(
    ("portals", "paths", "without"),
    [
        ("12", "active active", None),
        ("12", "active failed", "192.168.2.1"),
        ("12", "failed failed", "192.168.1.1 and 192.168.2.1"),
        ("11", "active active", "192.168.2.1"),
        ("1122", "active active failed failed", "192.168.2.1"),
        ("1212", "active failed active failed", "192.168.2.1"),
        ("1122", "failed active failed active", None),
    ],
    ids=["all", "one dead", "both dead", "no session", "of two interfaces", "mixed", "one each"],
)
def test_paths_are_counted_by_portal(cluster, portals, paths, without):
    """Two interfaces at two portals are four paths: two of them may come by one portal."""
    logged_in = sessions(cluster, *(f"192.168.{each}.1" for each in portals))
    found = client(a_map(cluster, *paths.split()), sessions=logged_in)
    said = paths_amiss(cluster, cluster.clients[0], found)
    if without is None:
        assert said is None
    else:
        assert f"LUN 1 of {cluster.targets[0].name} has no path by the portal {without};" in said


def test_a_lun_without_a_map(cluster):
    assert "has no multipath map" in paths_amiss(cluster, cluster.clients[0], client())


def test_another_targets_session_is_no_path(cluster):
    other = tuple(
        attrs.evolve(each, target="iqn.2009-02.com.example:other")
        for each in sessions(cluster, "192.168.1.1", "192.168.2.1")
    )
    found = client(a_map(cluster, "active", "active"), sessions=other)
    assert "has no path by the portal" in paths_amiss(cluster, cluster.clients[0], found)


def test_a_client_is_asked_for_what_it_may_see(cluster):
    badger = cluster.clients[0]
    others = attrs.evolve(cluster.targets[0], acl=Acl(("iqn.2009-02.com.example:mole",)))
    assert paths_amiss(attrs.evolve(cluster, targets=(others,)), badger, client()) is None
    half = attrs.evolve(cluster.targets[0], acl=Acl(("192.168.1.0/24",)))
    cluster = attrs.evolve(cluster, targets=(half,))
    one = client(a_map(cluster, "active"), sessions=sessions(cluster, "192.168.1.1"))
    assert paths_amiss(cluster, badger, one) is None


# --- Targets --------------------------------------------------------------------------------------


def lun(number, kind, path):
    ids = {"scsi_id": "", "scsi_sn": ""}
    return StgtLun(number, kind, path, "rdwr", 537, 512, online=True, readonly=False, **ids)


def stgt(*luns, running=True, name="iqn.2009-02.com.example:test"):
    found = (lun(0, "controller", None), *(lun(number, "disk", path) for number, path in luns))
    target = StgtTarget(1, name, "ready", found, (), (), (), ("ALL",), ())
    targets = (target,) if running else ()
    return StgtState(installed=True, running=running, boot="masked", targets=targets, portals=())


@pytest.mark.parametrize(
    ("found", "exact"),
    [
        (stgt((1, "/dev/storage/test")), True),
        (stgt(running=False), False),
        (stgt(), False),
        (stgt((1, "/dev/storage/other")), False),
        (stgt((2, "/dev/storage/test")), False),
        (stgt((1, "/dev/storage/test"), (2, "/dev/storage/other")), False),
        (stgt((1, "/dev/storage/test"), name="iqn.2009-02.com.example:other"), False),
    ],
)
def test_exactly_what_is_declared_is_served(cluster, found, exact):
    assert serves_exactly(cluster, found) == exact


NEW_SIZE = "resize LUN 1 of iqn.2009-02.com.example:test from 67 MB to 101 MB"


@pytest.mark.parametrize(
    ("differs", "used", "exact", "left"),
    [
        ((NEW_SIZE,), True, True, (NEW_SIZE,)),
        ((NEW_SIZE,), False, False, ()),
        (("give iqn.2009-02.com.example:test user joe",), True, False, ()),
        ((NEW_SIZE, "set user joe"), True, False, (NEW_SIZE,)),
    ],
)
def test_only_the_new_size_of_a_lun_in_use_can_wait(cluster, differs, used, exact, left):
    found = stgt((1, "/dev/storage/test"))
    (target,) = found.targets
    sessions = (StgtSession(1, "iqn.1993-08.org.debian:01:badger", None, ()),) if used else ()
    found = attrs.evolve(found, differs=differs, targets=(attrs.evolve(target, sessions=sessions),))
    assert serves_exactly(cluster, found) == exact
    assert new_sizes_left(found) == left


def test_a_further_lun_is_not_served_yet(cluster):
    (group,), (target,) = cluster.volume_groups, cluster.targets
    more = checked(
        attrs.evolve(
            cluster,
            volume_groups=(attrs.evolve(group, volumes=(*group.volumes, Volume("more", "64M"))),),
            targets=(attrs.evolve(target, luns=(*target.luns, Lun(2, "storage/more"))),),
        )
    )
    assert not serves_exactly(more, stgt((1, "/dev/storage/test")))


# --- Software -------------------------------------------------------------------------------------


TEST = "iqn.2009-02.com.example:test"
BADGER = "iqn.2009-02.com.example:badger"
EVE = "iqn.2009-02.com.example:eve"


@pytest.mark.parametrize(
    ("acl", "gone"),
    [
        (None, [f"{EVE} at {TEST}"]),
        (Everyone(), []),
        (Acl((BADGER, EVE)), []),
        (Acl((BADGER, "192.168.1.11")), []),
        (Acl((BADGER, "192.168.1.0/28")), []),
        (Acl(("192.168.2.0/24",)), [f"{BADGER} at {TEST}", f"{EVE} at {TEST}"]),
    ],
)
def test_who_is_logged_in_and_may_no_longer_be(cluster, acl, gone):
    sessions = (
        StgtSession(1, BADGER, None, ("192.168.1.10",)),
        StgtSession(2, EVE, None, ("192.168.1.11",)),
        StgtSession(3, EVE, None, ("192.168.1.11",)),
        StgtSession(4, WATCH, None, ("192.168.1.1",)),
    )
    found = stgt((1, "/dev/storage/test"))
    found = attrs.evolve(found, targets=(attrs.evolve(found.targets[0], sessions=sessions),))
    cluster = attrs.evolve(cluster, targets=(attrs.evolve(cluster.targets[0], acl=acl),))
    assert list(revoked(cluster, found)) == gone


def test_a_nodes_target_never_starts_by_itself(cluster):
    node = software(cluster, "weasel")
    assert node.masked == ("tgt.service",)
    assert not set(node.masked) & {*node.enabled, *node.started}
    assert node.started == (), "Heartbeat is started when all it needs is there"


def test_ifconfig_comes_with_the_script_that_needs_it(cluster):
    assert "net-tools" not in software(cluster, "weasel").packages
    guide = checked(attrs.evolve(cluster, address_agent="IPaddr"))
    assert "net-tools" in software(guide, "weasel").packages


def test_a_client_gets_a_clients_software(cluster):
    client = software(cluster, "badger")
    assert client.packages == ("open-iscsi", "multipath-tools")
    assert client.masked == ()
    assert "multipathd.service" in client.started
