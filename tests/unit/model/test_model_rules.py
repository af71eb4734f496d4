"""What only a whole cluster, or a whole site, shows."""

import attrs
import pytest
from model_tree import problems, put
from pyinfra.connectors.ssh import connector_data_meta

from san.model import (
    Acl,
    Bcast,
    Chap,
    Client,
    DrbdResource,
    Everyone,
    Lun,
    Mcast,
    Network,
    Node,
    Ping,
    Portal,
    Secret,
    Serial,
    Target,
    Ucast,
    Volume,
    VolumeGroup,
)
from san.model.connection import KEYS

IQN = "iqn.2009-02.com.example:"
R1 = DrbdResource("r1", disk="/dev/sdc", minor=1, port=7789)


def says(cluster, *, at, words):
    """The cluster has a problem at that path, in these words."""
    found = problems(cluster)
    assert any(line.startswith(f"{at}: ") and words in line for line in found), found


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_cluster_has_two_nodes_exactly(cluster, count):
    nodes = tuple(
        Node(name, addresses={"replication": f"10.10.10.{index}/24"})
        for index, name in enumerate(("weasel", "otter", "stoat")[:count], start=1)
    )
    says(put(cluster, "nodes", nodes), at="nodes", words="exactly two")


def test_all_findings_come_at_once(cluster):
    cluster = put(cluster, "nodes[1].name", "weasel")
    cluster = put(cluster, "acknowledged", ("nothing",))
    cluster = put(cluster, "targets[0].luns[0].volume", "storage/none")

    assert len(problems(cluster)) == 3


@pytest.mark.parametrize("name", ["weasel", "otter"])
def test_a_client_is_not_a_node(cluster, name):
    says(put(cluster, "clients[0].name", name), at="nodes", words="two hosts")


def test_iscsi_names_are_compared_as_rfc_7143_normalises_them(cluster):
    target = Target("eui.0123456789ABCDEF", luns=(Lun(1, "storage/test"),))
    client = attrs.evolve(cluster.clients[0], iqn="eui.0123456789abcdef")
    cluster = attrs.evolve(cluster, targets=(target,), clients=(client,))

    says(cluster, at="targets", words="each iSCSI name is unique")


class TestNetworks:
    def test_own_subnet(self, cluster):
        net = Network("path-b", "eth3", role="storage", subnet="192.168.0.0/22")
        says(put(cluster, "networks[3]", net), at="networks[3].subnet", words="overlaps path-a")

    def test_own_interface(self, cluster):
        says(put(cluster, "networks[3].interface", "eth2"), at="networks", words="'eth2'")

    def test_own_name(self, cluster):
        says(put(cluster, "networks[3].name", "path-a"), at="networks", words="'path-a'")

    def test_an_address_of_an_unknown_network(self, cluster):
        says(
            put(cluster, "nodes[0].addresses", {"backup": "10.0.0.1/24"}),
            at="nodes[0].addresses['backup']",
            words="no network 'backup'",
        )

    @pytest.mark.parametrize("own", ["10.10.11.1/24", "10.10.10.1/25"])
    def test_an_address_of_another_subnet(self, cluster, own):
        says(
            put(cluster, "nodes[0].addresses", {"replication": own}),
            at="nodes[0].addresses['replication']",
            words="not of replication's subnet 10.10.10.0/24",
        )

    def test_one_address_for_two_hosts(self, cluster):
        says(
            put(cluster, "nodes[1].addresses", {"replication": "10.10.10.1/24"}),
            at="nodes[1].addresses['replication']",
            words="weasel's address too",
        )


class TestLinks:
    @pytest.mark.parametrize(
        "links",
        [
            (Bcast("replication"),),
            (Serial("/dev/ttyS1"),),
            (Bcast("replication"), Ping("10.10.10.254")),
            (Bcast("replication"), Ucast("replication")),
            (Bcast("replication"), Mcast("replication", "239.0.0.42")),
        ],
        ids=["cable", "serial", "a ping is no link", "one cable twice", "one cable thrice"],
    )
    def test_one_medium_must_be_acknowledged(self, cluster, links):
        cluster = put(cluster, "heartbeat.links", links)
        says(cluster, at="heartbeat.links", words="acknowledged=('single-heartbeat-link',)")
        assert problems(put(cluster, "acknowledged", ("single-heartbeat-link",))) == []

    def test_a_link_given_twice(self, cluster):
        links = (*cluster.heartbeat.links, Bcast("replication"))
        says(put(cluster, "heartbeat.links", links), at="heartbeat.links[2]", words="there twice")

    def test_serial_cables_have_one_speed(self, cluster):
        """`Baudrate multiply specified`: Heartbeat doesn't start."""
        links = (Serial("/dev/ttyS1"), Serial("/dev/ttyS2", baud=38400))
        words = "serial cables at 19200 and 38400 baud"
        says(put(cluster, "heartbeat.links", links), at="heartbeat.links", words=words)
        links = (Serial("/dev/ttyS1", baud=38400), Serial("/dev/ttyS2", baud=38400))
        assert problems(put(cluster, "heartbeat.links", links)) == []

    @pytest.mark.parametrize("ttl", [0, 5])
    def test_multicast_goes_four_hops_at_most(self, cluster, ttl):
        """`mcast [eth1] bad ttl`, says Heartbeat."""
        link = Mcast("replication", "239.0.0.42", ttl=ttl)
        says(put(cluster, "heartbeat.links[0]", link), at="heartbeat.links[0].ttl", words="hops")

    @pytest.mark.parametrize("link", [Bcast, Ucast, lambda net: Mcast(net, "239.0.0.42")])
    def test_a_link_needs_an_address_of_both_nodes(self, cluster, link):
        says(
            put(cluster, "heartbeat.links[0]", link("path-a")),
            at="heartbeat.links[0].network",
            words="weasel has no address on path-a",
        )

    @pytest.mark.parametrize("address", ["10.10.10.1", "192.168.1.1", "192.168.1.10"])
    def test_a_ping_that_proves_nothing(self, cluster, address):
        links = (*cluster.heartbeat.links, Ping(address))
        says(
            put(cluster, "heartbeat.links", links),
            at="heartbeat.links[2].address",
            words="ping a switch or a router",
        )

    def test_vlans_of_one_card_are_one_medium(self, cluster):
        cluster = put(cluster, "networks[1].interface", "bond0.10")
        cluster = put(cluster, "networks[2].interface", "bond0.20")
        for index, node in enumerate(cluster.nodes):
            own = {**node.addresses, "path-a": f"192.168.1.{index + 2}/24"}
            cluster = put(cluster, f"nodes[{index}].addresses", own)
        links = (Bcast("replication"), Ucast("path-a"))
        cluster = put(cluster, "heartbeat.links", links)
        says(cluster, at="heartbeat.links", words="1 separate link")
        assert problems(put(cluster, "networks[2].interface", "bond1.20")) == []

    def test_on_one_node_alone_too(self, cluster):
        cluster = put(cluster, "heartbeat.links", (Bcast("replication"), Ucast("path-a")))
        for at in range(2):
            addresses = {**cluster.nodes[at].addresses, "path-a": f"192.168.1.{at + 2}/24"}
            cluster = put(cluster, f"nodes[{at}].addresses", addresses)
        assert problems(cluster) == []
        for at, vlan in ((1, 10), (2, 20)):
            cluster = put(cluster, f"networks[{at}].interfaces", {"otter": f"bond0.{vlan}"})
        says(cluster, at="heartbeat.links", words="1 separate link joins the nodes")

    def test_nothing_is_broadcast_to_two_addresses(self, cluster):
        cluster = put(cluster, "networks[1].subnet", "10.10.10.2/31")
        for index in (0, 1):
            own = {"replication": f"10.10.10.{index + 2}/31"}
            cluster = put(cluster, f"nodes[{index}].addresses", own)
        says(cluster, at="heartbeat.links[0].network", words="write Ucast")
        assert problems(put(cluster, "heartbeat.links[0]", Ucast("replication"))) == []

    def test_nor_where_the_nodes_addresses_say_so(self, cluster):
        """A management network may be without its subnet."""
        for index in (0, 1):
            own = {**cluster.nodes[index].addresses, "management": f"10.0.0.{index}/31"}
            cluster = put(cluster, f"nodes[{index}].addresses", own)
        cluster = put(cluster, "heartbeat.links[0]", Bcast("management"))
        says(cluster, at="heartbeat.links[0].network", words="write Ucast")

    @pytest.mark.parametrize(
        "device", ["/dev/null", "/dev/tty", "/dev/tty1", "/dev/console", "/dev/sdb", "/dev/pts/0"]
    )
    def test_what_is_no_serial_port(self, cluster, device):
        cluster = put(cluster, "heartbeat.links[1].device", device)
        says(cluster, at="heartbeat.links[1].device", words="is no serial port")

    def test_a_serial_port_at_two_speeds(self, cluster):
        links = (*cluster.heartbeat.links, Serial("/dev/ttyS1", baud=9600))
        says(put(cluster, "heartbeat.links", links), at="heartbeat.links[2]", words="there twice")

    def test_a_multicast_group(self, cluster):
        says(
            put(cluster, "heartbeat.links[0]", Mcast("replication", "10.10.10.255")),
            at="heartbeat.links[0].group",
            words="multicast",
        )


class TestTiming:
    @pytest.mark.parametrize(
        ("field", "value", "blamed"),
        [
            ("keepalive", 3, "warntime"),
            ("warntime", 6, "deadtime"),
            ("deadtime", 30, "initdead"),
            ("initdead", 11.9, "initdead"),
        ],
    )
    def test_its_order(self, cluster, field, value, blamed):
        cluster = put(cluster, f"heartbeat.{field}", value)
        says(cluster, at=f"heartbeat.{blamed}", words="must ")

    def test_what_the_watchdog_leaves_of_deadtime(self, cluster):
        """Heartbeat reads 10 ms less, and ends with 'Dead time … is too small'."""
        timing = attrs.evolve(cluster.timing, ping_int=1, ping_timeout=0.5, drbd_timeout=0.5)
        cluster = attrs.evolve(cluster, timing=timing)
        cluster = put(cluster, "heartbeat.keepalive", 2)
        cluster = put(cluster, "heartbeat.warntime", 3)
        cluster = put(cluster, "heartbeat.deadtime", 4.01)
        says(cluster, at="heartbeat.deadtime", words="the watchdog takes 10 ms")
        assert problems(put(cluster, "heartbeat.watchdog", None)) == []
        assert problems(put(cluster, "heartbeat.deadtime", 4.011)) == []

    def test_twice_deadtime_is_enough(self, cluster):
        assert problems(put(cluster, "heartbeat.initdead", 12)) == []


class TestPortals:
    def test_two_in_one_subnet_where_it_is_acknowledged(self, cluster):
        cluster = put(cluster, "portals[1].address", "192.168.1.2/24")
        says(cluster, at="portals[1].address", words="acknowledged=('portals-share-a-subnet',)")
        cluster = put(cluster, "acknowledged", ("portals-share-a-subnet",))
        assert problems(cluster) == []
        cluster = put(cluster, "portals[1].address", "192.168.1.1/24")
        says(cluster, at="portals[1].address", words="overlaps portals[0]")

    @pytest.mark.parametrize(
        ("second", "words"),
        [
            ("192.168.1.2/24", "overlaps portals[0]"),
            ("192.168.1.1/24", "overlaps portals[0]"),
            ("192.168.0.1/16", "overlaps portals[0]"),
            ("192.168.3.1/24", "outside every storage network"),
            ("192.168.2.1/25", "outside every storage network"),
            ("10.10.10.9/24", "outside every storage network"),
            ("192.168.2.10/24", "badger's own address"),
        ],
    )
    def test_where_one_must_not_be(self, cluster, second, words):
        cluster = put(cluster, "portals[1]", Portal(second))
        says(cluster, at="portals[1].address", words=words)

    def test_a_nodes_own_address(self, cluster):
        own = {"replication": "10.10.10.1/24", "path-b": "192.168.2.1/24"}
        says(
            put(cluster, "nodes[0].addresses", own),
            at="portals[1].address",
            words="weasel's own address",
        )


class TestStack:
    @pytest.mark.parametrize("disk", ["/dev/storage/test", "/dev/mapper/storage-test"])
    def test_a_resource_on_its_own_volume_group(self, cluster, disk):
        says(put(cluster, "resources[0].disk", disk), at="resources[0].disk", words="circular")

    def test_a_resource_on_another_replicated_group(self, cluster):
        stacked = attrs.evolve(R1, disk="/dev/storage/test")
        group = VolumeGroup("upper", resources=("r1",), volumes=(Volume("top", "1G"),))
        cluster = put(cluster, "resources", (*cluster.resources, stacked))
        cluster = put(cluster, "volume_groups", (*cluster.volume_groups, group))

        says(cluster, at="resources[1].disk", words="only the node that serves storage has it")

    @pytest.mark.parametrize("disk", ["/dev/mapper/storage--pool-data", "/dev/storage2/data"])
    def test_a_local_group_of_a_similar_name_is_another(self, cluster, disk):
        assert problems(put(cluster, "resources[0].disk", disk)) == []

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ("/dev/sdb", "/dev/sdb"),
            ("/dev/sdb", "/dev/sdb1"),
            ("/dev/sdb12", "/dev/sdb"),
            ("/dev/nvme0n1", "/dev/nvme0n1p2"),
            ("/dev/disk/by-id/virtio-data", "/dev/disk/by-id/virtio-data-part1"),
            ("/dev/sdb", {"weasel": "/dev/sdc", "otter": "/dev/sdb"}),
        ],
    )
    def test_two_resources_on_one_disk(self, cluster, one, two):
        both = (attrs.evolve(cluster.resources[0], disk=one), attrs.evolve(R1, disk=two))
        group = put(cluster.volume_groups[0], "resources", ("r0", "r1"))
        cluster = attrs.evolve(cluster, resources=both, volume_groups=(group,))

        says(cluster, at="resources[1].disk", words="would overwrite the other")

    @pytest.mark.parametrize(
        ("one", "two"), [("/dev/sdb1", "/dev/sdb2"), ("/dev/dm-1", "/dev/dm-10")]
    )
    def test_neighbours_are_two_disks(self, cluster, one, two):
        both = (attrs.evolve(cluster.resources[0], disk=one), attrs.evolve(R1, disk=two))
        assert problems(attrs.evolve(cluster, resources=both)) == []

    @pytest.mark.parametrize("key", ["minor", "port", "name"])
    def test_what_resources_do_not_share(self, cluster, key):
        shared = attrs.evolve(R1, **{key: getattr(cluster.resources[0], key)})
        cluster = put(cluster, "resources", (*cluster.resources, shared))
        says(cluster, at="resources", words="give each its own")

    def test_a_resource_on_an_unknown_network(self, cluster):
        says(
            put(cluster, "resources[0].network", "crossover"),
            at="resources[0].network",
            words="no network 'crossover'",
        )

    def test_a_resource_on_a_network_without_addresses(self, cluster):
        says(
            put(cluster, "nodes[1].addresses", {}),
            at="resources[0].network",
            words="otter has no address on replication",
        )

    def test_a_group_on_an_unknown_resource(self, cluster):
        says(
            put(cluster, "volume_groups[0].resources", ("r9",)),
            at="volume_groups[0].resources[0]",
            words="no DRBD resource 'r9'",
        )

    def test_a_resource_in_two_groups(self, cluster):
        group = VolumeGroup("more", resources=("r0",), volumes=(Volume("top", "1G"),))
        cluster = put(cluster, "volume_groups", (*cluster.volume_groups, group))
        says(cluster, at="volume_groups[1].resources[0]", words="already belongs to 'storage'")

    @pytest.mark.parametrize("name", ["sdata", "vdisks", "media", "disks", "mapper2"])
    def test_a_group_named_unlike_any_device(self, cluster, name):
        group = attrs.evolve(cluster.volume_groups[0], name=name)
        cluster = put(cluster, "volume_groups", (group,))
        assert problems(put(cluster, "targets[0].luns[0].volume", f"{name}/test")) == []

    def test_a_volume_twice(self, cluster):
        volume = cluster.volume_groups[0].volumes[0]
        says(
            put(cluster, "volume_groups[0].volumes", (volume, volume)),
            at="volume_groups[0].volumes",
            words="'test' is there twice",
        )

    def test_what_is_left_is_given_away_once(self, cluster):
        volumes = (Volume("test", "100%FREE"), Volume("two", "64M"))
        assert problems(put(cluster, "volume_groups[0].volumes", volumes)) == []
        volumes = (*volumes, Volume("three", "100%FREE"))
        says(
            put(cluster, "volume_groups[0].volumes", volumes),
            at="volume_groups[0].volumes",
            words="100%FREE is there 2 times",
        )

    @pytest.mark.parametrize("key", ["scsi_id", "serial"])
    def test_one_identity_for_two_luns(self, cluster, key):
        (group,) = cluster.volume_groups
        cluster = put(cluster, "volume_groups[0].volumes", (*group.volumes, Volume("two", "64M")))
        same = {key: "6" + "0" * 31}
        luns = (Lun(1, "storage/test", **same), Lun(2, "storage/two", **same))
        says(put(cluster, "targets[0].luns", luns), at="targets", words=f"{key} '6000")

    def test_a_lun_twice(self, cluster):
        luns = (Lun(1, "storage/test"), Lun(1, "storage/test"))
        cluster = put(cluster, "targets[0].luns", luns)
        says(cluster, at="targets[0].luns", words="LUN 1 is there twice")

    def test_a_volume_behind_two_luns(self, cluster):
        luns = (Lun(1, "storage/test"), Lun(2, "storage/test"))
        cluster = put(cluster, "targets[0].luns", luns)
        says(cluster, at="targets[0].luns[1].volume", words="two names for one disk")

    def test_lun_0_is_iets_first(self, cluster):
        cluster = put(cluster, "targets[0].luns[0].number", 0)
        (problem,) = problems(put(cluster, "target_software", "iet"))
        assert "target_software: 'iet' is rendered, but not deployed yet" in problem

    def test_a_chap_user_with_two_secrets(self, cluster, monkeypatch):
        monkeypatch.setenv("OTHER_SECRET", "other-chap-0001")
        (target,) = cluster.targets
        (group,) = cluster.volume_groups
        cluster = put(cluster, "volume_groups[0].volumes", (*group.volumes, Volume("two", "64M")))

        def second(secret):
            chap = Chap(target.chap.user, Secret(secret))
            return Target(IQN + "two", luns=(Lun(1, "storage/two"),), chap=chap)

        assert problems(put(cluster, "targets", (target, second("CHAP_SECRET")))) == []
        cluster = put(cluster, "targets", (target, second("OTHER_SECRET")))
        says(cluster, at="targets[1].chap", words="STGT knows each user once")


class TestReached:
    """How pyinfra comes to a host."""

    @pytest.mark.parametrize(
        ("ssh", "at", "words"),
        [
            ({"ssh_hostnam": "10.0.0.7"}, "['ssh_hostnam']", "write 'ssh_hostname'"),
            ({"ssh_prot": 22}, "['ssh_prot']", "write 'ssh_port'"),
            ({"ssh_port": "22"}, "['ssh_port']", "of type int"),
            ({"ssh_port": 0}, "['ssh_port']", "1 to 65535"),
            ({"ssh_user": None}, "['ssh_user']", "of type str"),
            ({"ssh_allow_agent": 1}, "['ssh_allow_agent']", "of type bool"),
            ({"ssh_hostname": ""}, "['ssh_hostname']", "it is empty"),
            ({"ssh_strict_host_key_checking": "maybe"}, "", "accept-new"),
        ],
    )
    def test_keys_and_types(self, cluster, ssh, at, words):
        says_one = problems(put(cluster, "nodes[0].ssh", ssh))
        assert len(says_one) == 1
        assert f"nodes[0].ssh{at}" in says_one[0]
        assert words in says_one[0]

    def test_the_keys_are_pyinfras(self):
        assert KEYS.keys() == connector_data_meta.keys()

    @pytest.mark.parametrize("name", ["10.0.0.7", "weasel", "Weasel"])
    def test_two_names_of_one_host(self, cluster, name):
        if name == "10.0.0.7":
            cluster = put(cluster, "nodes[0].ssh", {"ssh_hostname": name})
        cluster = put(cluster, "nodes[1].ssh", {"ssh_hostname": name})
        says(cluster, at="nodes[1].ssh['ssh_hostname']", words="would be the same host")

    def test_a_portal_that_a_host_is_reached_at(self, cluster):
        cluster = put(cluster, "nodes[1].ssh", {"ssh_hostname": "192.168.2.1"})
        says(cluster, at="portals[1].address", words="where otter is reached by ssh")

    def test_drbds_port_that_is_sshds(self, cluster):
        cluster = put(cluster, "nodes[1].ssh", {"ssh_port": 7788})
        says(cluster, at="resources[0].port", words="where otter answers ssh")


class TestOneRound:
    def test_mistakes_of_every_level(self, cluster):
        """Of fields, parts, the cluster and the site: none of them hides another."""
        wrong = {
            "networks[0].interface": "lo",
            "volume_groups[0].volumes[0].size": "1",
            "targets[0].luns[0].number": 0,
            "targets[0].chap.secret.name": "NOWHERE",
            "heartbeat.keepalive": "1",
            "heartbeat.warntime": 6,
            "heartbeat.udpport": 0,
            "nodes[1].addresses": {"replication": "10.10.10.1/24", "path-a": "192.168.1.300/24"},
            "portals[1].address": "192.168.3.1/24",
            "clients[0].iqn": "badger",
            "resources[0].port": 3260,
            "acknowledged": ("nothing",),
        }
        for path, value in wrong.items():
            cluster = put(cluster, path, value)
        second = put(cluster, "name", "second")

        found = problems(cluster, second)

        for at in (
            "networks[0].interface: ",
            "volume_groups[0].volumes[0].size: ",
            "targets[0].luns[0].number: STGT",
            "targets[0].chap.secret.name: secret NOWHERE",
            "heartbeat.keepalive: ",
            "heartbeat.deadtime: warntime",
            "heartbeat.udpport: ",
            "nodes[1].addresses['path-a']: ",
            "nodes[1].addresses['replication']: 10.10.10.1 is weasel's",
            "portals[1].address: 192.168.3.1/24 is outside",
            "clients[0].iqn: ",
            "resources[0].port: ",
            "acknowledged[0]: ",
            "clusters: 'weasel' is in two clusters, reference and second",
            "clusters: 192.168.1.1 is a storage address of two clusters",
        ):
            assert any(line.startswith(at) for line in found), (at, found)

    def test_every_item_of_a_list(self, cluster):
        acl = Acl((7, "badger", IQN + "badger", "10.0.0.0/255.0.0.0"))
        found = problems(put(cluster, "targets[0].acl", acl))
        assert [line.partition(": ")[0] for line in found] == [
            f"targets[0].acl.initiators[{index}]" for index in (0, 1, 3)
        ]


class TestAcl:
    def test_a_client_that_no_target_admits(self, cluster):
        says(
            put(cluster, "targets[0].acl", Acl((IQN + "mole", "10.0.0.0/8"))),
            at="clients[0]",
            words="no target's ACL admits badger",
        )

    def test_whether_an_acl_of_addresses_admits_it_is_known(self, cluster):
        acl = Acl(("192.168.1.10", "192.168.2.10"))
        cluster = put(cluster, "targets[0].acl", acl)
        assert problems(cluster) == []
        undeclared = put(cluster, "clients[0].addresses", {})
        assert problems(put(undeclared, "targets[0].acl", Acl(("192.168.0.0/16",)))) == []
        says(
            undeclared,
            at="clients[0].addresses",
            words="admits some of 192.168.1.0/24, and whether badger is among them isn't known",
        )

    def test_two_clients_with_a_target_each(self, cluster):
        (group,) = cluster.volume_groups
        cluster = put(cluster, "volume_groups[0].volumes", (*group.volumes, Volume("two", "64M")))
        mole = Client("mole", iqn=IQN + "mole")
        own = put(cluster.targets[0], "acl", Acl((IQN + "badger",)))
        other = Target(IQN + "two", luns=(Lun(1, "storage/two"),), acl=Acl((mole.iqn,)))
        cluster = attrs.evolve(cluster, targets=(own, other), clients=(*cluster.clients, mole))

        assert problems(cluster) == []
        badger = cluster.clients[0]
        assert cluster.portals_for(badger, own) == cluster.portals
        assert cluster.portals_for(badger, other) == ()
        assert cluster.portals_for(mole, own) == ()
        assert cluster.portals_for(mole, other) == cluster.portals

    @pytest.mark.parametrize(
        ("entries", "addresses", "through"),
        [
            (("192.168.1.0/24",), {"path-a": "192.168.1.10/24", "path-b": "192.168.2.10/24"}, [0]),
            (("192.168.1.10",), {"path-a": "192.168.1.11/24"}, []),
            (("192.168.0.0/16",), {}, [0, 1]),
            (("192.168.2.10",), {}, []),
        ],
    )
    def test_the_portals_that_admit_a_client(self, cluster, entries, addresses, through):
        client = attrs.evolve(cluster.clients[0], addresses=addresses)
        target = attrs.evolve(cluster.targets[0], acl=Acl(entries))
        expected = tuple(cluster.portals[index] for index in through)
        assert cluster.portals_for(client, target) == expected

    @pytest.mark.parametrize("entry", [IQN + "badger", "192.168.1.10", "192.168.1.0/24"])
    def test_who_may_log_in(self, cluster, entry):
        assert problems(put(cluster, "targets[0].acl", Acl((entry,)))) == []

    @pytest.mark.parametrize(
        "entry", ["badger", "192.168.1.10/24", "192.168.1", "²", "10.0.0.0/255.0.0.0", "ALL", 7]
    )
    def test_who_is_nobody(self, cluster, entry):
        cluster = put(cluster, "targets[0].acl", Acl((IQN + "badger", entry)))
        assert [line.partition(": ")[0] for line in problems(cluster)] == [
            "targets[0].acl.initiators[1]"
        ]

    def test_everyone_is_a_choice_by_name(self, cluster):
        assert problems(put(cluster, "targets[0].acl", Everyone())) == []
        assert cluster.acl_of(cluster.targets[0]) == Acl((IQN + "badger",))
        everyone = put(cluster, "targets[0].acl", Everyone())
        assert everyone.acl_of(everyone.targets[0]) == Everyone()

    def test_nobody_is_none(self, cluster):
        alone = put(cluster, "clients", ())
        says(alone, at="targets[0].acl", words="nobody could log in")
        assert problems(put(alone, "targets[0].acl", Everyone())) == []

    def test_reservations_are_lost_at_a_takeover(self, cluster):
        relies = put(cluster, "clients[0].reservations", True)
        says(relies, at="clients[0].reservations", words="a takeover drops them")
        assert problems(put(relies, "acknowledged", ("lost-reservations",))) == []


class TestInterfaces:
    def test_names_of_a_host_of_its_own(self, cluster):
        named = put(cluster, "networks[2].interfaces", {"badger": "enp3s0", "otter": "eno1"})
        assert problems(named) == []
        seen = named.seen_from("otter")
        assert [each.interface for each in seen.networks] == ["eth0", "eth1", "eno1", "eth3"]

    def test_two_networks_on_one_interface_of_one_host(self, cluster):
        twice = put(cluster, "networks[2].interfaces", {"otter": "eth1"})
        says(twice, at="networks", words="'eth1' is the interface of two networks")
        # A client that is not on a network has no interface there.
        assert problems(put(cluster, "networks[2].interfaces", {"badger": "eth1"})) == []

    def test_a_host_that_is_not_there(self, cluster):
        says(
            put(cluster, "networks[2].interfaces", {"stoat": "eth1"}),
            at="networks[2].interfaces",
            words="no host 'stoat'",
        )

    def test_management_is_left_as_it_is_found(self, cluster):
        says(put(cluster, "networks[0].mtu", 9000), at="networks[0].mtu", words="remove its mtu")
        assert problems(put(cluster, "networks[1].mtu", 9000)) == []


class TestSecondCluster:
    @pytest.fixture
    def second(self, cluster):
        """A cluster on the same storage networks that shares nothing else."""
        cluster = put(cluster, "networks[1].subnet", "10.10.11.0/24")
        return attrs.evolve(
            cluster,
            name="second",
            nodes=(
                Node("stoat", addresses={"replication": "10.10.11.1/24"}),
                Node("marten", addresses={"replication": "10.10.11.2/24"}),
            ),
            portals=(Portal("192.168.1.2/24"), Portal("192.168.2.2/24")),
            targets=(Target(IQN + "second", luns=(Lun(1, "storage/test"),)),),
            clients=(Client("mole", iqn=IQN + "mole", addresses={"path-a": "192.168.1.11/24"}),),
        )

    def test_it_is_the_normal_case(self, cluster, second):
        assert problems(cluster, second) == []

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("name", "reference", "its own name"),
            ("nodes[0].name", "weasel", "a host belongs to one"),
            ("clients[0].name", "otter", "a host belongs to one"),
            ("targets[0].name", IQN + "test", "iSCSI name is unique"),
            ("clients[0].iqn", IQN + "badger", "iSCSI name is unique"),
            ("portals[0]", Portal("192.168.1.1/24"), "storage address of two clusters"),
            ("portals[0]", Portal("192.168.1.10/24"), "storage address of two clusters"),
            ("clients[0].addresses", {"path-a": "192.168.1.1/24"}, "storage address of two"),
        ],
    )
    def test_what_two_clusters_do_not_share(self, cluster, second, field, value, words):
        (problem,) = problems(cluster, put(second, field, value))
        assert problem.startswith("clusters: ")
        assert words in problem
        assert field == "name" or "reference and second" in problem

    def test_replication_addresses(self, cluster, second):
        second = put(second, "networks[1].subnet", "10.10.10.0/24")
        for index in (0, 1):
            own = {"replication": f"10.10.10.{2 + index}/24"}
            second = put(second, f"nodes[{index}].addresses", own)
        second = put(second, "heartbeat.udpport", 695)
        (problem,) = problems(cluster, second)
        assert problem.startswith("clusters: 10.10.10.2 is a host's address in two clusters")
        assert "reference and second" in problem

    @pytest.mark.parametrize("link", [Bcast("replication"), Mcast("replication", "239.0.0.42")])
    def test_heartbeats_that_both_hear(self, cluster, second, link, monkeypatch):
        second = put(second, "networks[1].subnet", "10.10.10.0/24")
        for index in (0, 1):
            own = {"replication": f"10.10.10.{3 + index}/24"}
            second = put(second, f"nodes[{index}].addresses", own)
        cluster, second = (put(each, "heartbeat.links[0]", link) for each in (cluster, second))

        (problem,) = problems(cluster, second)

        assert problem.startswith("clusters[1].heartbeat.udpport: reference and second both")
        assert problems(cluster, put(second, "heartbeat.udpport", 695)) == []
        monkeypatch.setenv("OTHER_KEY", "another-letters.")
        assert problems(cluster, put(second, "heartbeat.secret", Secret("OTHER_KEY"))) == []
        assert problems(cluster, put(second, "heartbeat.links[0]", Ucast("replication"))) == []

    def test_heartbeats_over_a_management_network_without_its_subnet(self, cluster, second):
        found = []
        for at, each in enumerate((cluster, second)):
            for index in (0, 1):
                own = {
                    **each.nodes[index].addresses,
                    "management": f"10.0.0.{2 * at + index + 1}/24",
                }
                each = put(each, f"nodes[{index}].addresses", own)  # noqa: PLW2901
            found.append(put(each, "heartbeat.links[0]", Bcast("management")))
        (problem,) = problems(*found)
        assert problem.startswith("clusters[1].heartbeat.udpport: reference and second both")

    def test_a_scsi_id(self, cluster, second):
        both = [
            put(each, "targets[0].luns[0].scsi_id", "6" + "a" * 31) for each in (cluster, second)
        ]
        (problem,) = problems(*both)
        assert "would take two disks for one" in problem

    def test_hosts_reached_alike(self, cluster, second):
        cluster = put(cluster, "nodes[1].ssh", {"ssh_hostname": "10.0.0.7"})
        second = put(second, "nodes[0].ssh", {"ssh_hostname": "10.0.0.7"})
        (problem,) = problems(cluster, second)
        assert problem.startswith(
            "clusters[1].nodes[0].ssh['ssh_hostname']: 10.0.0.7 is where otter"
        )
        other = {"ssh_hostname": "10.0.0.7", "ssh_port": 2222}
        assert problems(cluster, put(second, "nodes[0].ssh", other)) == []


class TestSecretTexts:
    @pytest.mark.parametrize("length", [12, 16])
    def test_chap_lengths(self, cluster, monkeypatch, length):
        monkeypatch.setenv("CHAP_SECRET", "a" * length)
        assert problems(cluster) == []

    @pytest.mark.parametrize(
        ("name", "text", "at"),
        [
            ("CHAP_SECRET", "a" * 11, "targets[0].chap.secret"),
            ("CHAP_SECRET", "a" * 17, "targets[0].chap.secret"),
            ("CHAP_SECRET", "twelve chars", "targets[0].chap.secret"),
            ("CHAP_SECRET", "twelve\nchars", "targets[0].chap.secret"),
            ("CHAP_SECRET", 'twelve"chars', "targets[0].chap.secret"),
            ("CHAP_SECRET", "twelve#chars", "targets[0].chap.secret"),
            ("CHAP_SECRET", "twelve::char", "targets[0].chap.secret"),
            ("CHAP_SECRET", "twelve-chärs", "targets[0].chap.secret"),
            ("DRBD_SECRET", "a" * 65, "resources[0].secret"),
            ("DRBD_SECRET", 'a";}global{x"', "resources[0].secret"),
            ("HEARTBEAT_SECRET", "first\n2 crc line", "heartbeat.secret"),
            ("HEARTBEAT_SECRET", "of two words", "heartbeat.secret"),
            ("HEARTBEAT_SECRET", "short", "heartbeat.secret"),
        ],
    )
    def test_what_its_file_can_not_carry(self, cluster, monkeypatch, name, text, at):
        monkeypatch.setenv(name, text)

        (problem,) = problems(cluster)

        assert problem.startswith(f"{at}: {name} has ")
        assert text not in problem

    def test_no_repr_shows_what_stands_in_a_secrets_place(self, cluster):
        cluster = put(cluster, "targets[0].chap.secret", "hunter2-hunter2")
        cluster = put(cluster, "nodes[0].ssh", {"ssh_password": "hunter2"})
        assert "hunter2" not in repr(cluster)


def test_plain_data_of_a_cluster(cluster):
    plain = put(cluster, "nodes[0].ssh", {"ssh_password": "hunter2"}).to_json()

    assert "hunter2" not in str(plain)
    assert plain["heartbeat"]["links"][0] == {"kind": "bcast", "network": "replication"}
    assert plain["resources"][0]["secret"] == {"name": "DRBD_SECRET"}
    assert plain["nodes"][1]["addresses"] == {"replication": "10.10.10.2/24"}


def test_a_secret_is_equal_by_name():
    assert Secret("A") == Secret("A")
