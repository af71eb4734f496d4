"""What STGT and IET are told."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import SECRETS, changed

from san.model import Acl, Chap, Everyone, InventoryError, Lun, Secret, Target, Volume, VolumeGroup
from san.render.iet import initiators_allow
from san.render.stgt import scsi_id, stgt_conf, tids, wwid

NAMES = st.from_regex(r"iqn\.2009-02\.com\.example:[a-z0-9]{1,12}", fullmatch=True)


def target(name, number=1, volume="storage/test", **more):
    return Target(f"iqn.2009-02.com.example:{name}", luns=(Lun(number, volume),), **more)


def with_targets(cluster, *targets):
    volumes = ("test", "two", "three")
    group = VolumeGroup(
        "storage", resources=("r0",), volumes=tuple(Volume(name, "64M") for name in volumes)
    )
    return changed(cluster, volume_groups=(group,), targets=targets)


class TestIdentity:
    def test_scsi_id(self):
        one = target("test")
        found = scsi_id(one, one.luns[0])
        assert len(found) == 32
        assert int(found, 16) >> 124 == 6
        assert wwid(one, one.luns[0]) == f"3{found}"

    def test_known(self):
        """Clients have it in their configuration: it never changes."""
        one = target("test")
        assert wwid(one, one.luns[0]) == "36000000196511e10e4bc2b8cba3cd6ae"

    def test_each_lun_has_its_own(self):
        one = Target("iqn.2009-02.com.example:a", luns=(Lun(1, "x/y"), Lun(11, "x/z")))
        other = Target("iqn.2009-02.com.example:b", luns=one.luns)
        found = {scsi_id(which, lun) for which in (one, other) for lun in which.luns}
        assert len(found) == 4

    def test_the_volume_may_change(self):
        one, other = target("test"), target("test", volume="storage/two")
        assert scsi_id(one, one.luns[0]) == scsi_id(other, other.luns[0])

    @given(names=st.lists(NAMES, unique=True, max_size=40))
    def test_target_ids_are_unique_and_ignore_the_order(self, names):
        targets = [Target(name, luns=(Lun(1, "x/y"),)) for name in names]
        found = tids(targets)
        assert len(set(found.values())) == len(names)
        assert all(1 <= tid <= 0x7FFF for tid in found.values())
        assert tids(targets[::-1]) == found

    def test_other_targets_come_and_go(self):
        assert (
            tids([target("test"), target("more")])[target("test").name]
            == (tids([target("test")])[target("test").name])
        )


class TestStgt:
    def test_an_identity_that_clients_know(self, cluster):
        known = Lun(1, "storage/test", scsi_id="6001405" + "0" * 25, serial="beaf11")
        one = Target("iqn.2009-02.com.example:test", luns=(known,))
        (line,) = [
            line
            for line in stgt_conf(with_targets(cluster, one)).splitlines()
            if line.startswith("lun ")
        ]
        assert line == f"lun 1 sync {known.scsi_id} beaf11 /dev/storage/test"
        assert wwid(one, known) == f"3{known.scsi_id}"

    def test_iotypes(self, cluster):
        one = Target(
            "iqn.2009-02.com.example:test",
            luns=(Lun(1, "storage/test"), Lun(2, "storage/two", iotype="blockio")),
        )
        lines = stgt_conf(with_targets(cluster, one)).splitlines()
        flags = {line.split()[1]: line.split()[2] for line in lines if line.startswith("lun ")}
        assert flags == {"1": "sync", "2": "sync:direct"}

    @pytest.mark.parametrize(
        ("acl", "lines"),
        [
            (None, ["allow-name iqn.2009-02.com.example:badger"]),
            (Everyone(), ["allow-address ALL"]),
            (Acl(("10.0.0.0/24",)), ["allow-address 10.0.0.0/24"]),
            (
                Acl(("10.0.0.9", "10.0.0.8/32")),
                ["allow-address 10.0.0.9", "allow-address 10.0.0.8"],
            ),
            (Acl(("0.0.0.0/0",)), ["allow-address ALL"]),
            (Acl(("iqn.2009-02.com.example:b",)), ["allow-name iqn.2009-02.com.example:b"]),
        ],
    )
    def test_acl(self, cluster, acl, lines):
        if acl is not None:  # each ACL for itself, whether it admits a client or not
            cluster = attrs.evolve(cluster, clients=())
        found = stgt_conf(with_targets(cluster, target("test", acl=acl))).splitlines()
        own = [f"allow-address {portal.ip}" for portal in cluster.portals]
        watch = [] if "allow-address ALL" in lines else own
        assert sorted(line for line in found if line.startswith("allow")) == sorted(lines + watch)

    def test_a_user_stands_once(self, cluster):
        chap = Chap("badger", Secret("CHAP_SECRET"))
        found = stgt_conf(
            with_targets(
                cluster, target("a", chap=chap), target("b", volume="storage/two", chap=chap)
            )
        )
        assert found.count("account ") == 1
        assert found.count("\nchap badger\n") == 2

    def test_a_user_with_two_secrets_is_refused_without_showing_them(self, cluster):
        one = target("a", chap=Chap("badger", Secret("CHAP_SECRET")))
        two = target("b", volume="storage/two", chap=Chap("badger", Secret("HEARTBEAT_SECRET")))
        with pytest.raises(InventoryError) as refusal:
            stgt_conf(with_targets(cluster, one, two))
        assert "targets[1].chap: user 'badger' has another secret" in str(refusal.value)
        assert not any(value in str(refusal.value) for value in SECRETS.values())


class TestIet:
    def test_everyone_by_name_alone(self, guide_cluster):
        assert "\niqn.2009-02.com.example:test ALL\n" in initiators_allow(guide_cluster)
        cluster = attrs.evolve(guide_cluster, targets=(target("test", number=0),))
        line = "\niqn.2009-02.com.example:test iqn[.]2009-02[.]com[.]example:badger\n"
        assert line in initiators_allow(cluster)

    def test_names_are_regular_expressions_there(self, guide_cluster):
        acl = Acl(("10.0.0.0/8", "iqn.2009-02.com.example:b"))
        cluster = attrs.evolve(guide_cluster, targets=(target("test", number=0, acl=acl),))
        line = "iqn.2009-02.com.example:test 10.0.0.0/8, iqn[.]2009-02[.]com[.]example:b"
        assert line in initiators_allow(cluster).splitlines()
