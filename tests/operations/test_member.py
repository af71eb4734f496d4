"""Which hosts belong to which cluster, looked up once however many there are."""

from pathlib import Path

import pytest
from pyinfra.api.inventory import Inventory

from operations import member
from san.inventory import load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def inventory(monkeypatch):
    for name in ("CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"):
        monkeypatch.setenv(name, f"secret-of-{name[:5]}")
    site = load(ROOT / "inventory.py")
    others = [("printer", {"member": "of the office"}), ("scanner", {"cluster": 7, "member": 7})]
    halves = [("half", {"member": site.clusters[0].nodes[0]})]
    return Inventory(([*site.nodes(), *site.initiators(), *others, *halves], {}))


def test_others_hosts_belong_to_none_whatever_their_data_are_called(inventory):
    found = {each.name: getattr(member.member_of(each), "name", None) for each in inventory}
    none = dict.fromkeys(("printer", "scanner", "half"))
    assert found == {"weasel": "weasel", "otter": "otter", "badger": "badger", **none}


def test_the_inventory_is_looked_through_once(inventory, monkeypatch):
    seen = []
    real = member.member_of
    monkeypatch.setattr(member, "member_of", lambda each: seen.append(each.name) or real(each))
    cluster = inventory.get_host("weasel").data.cluster
    for _ in range(5):
        assert set(member.hosts_of(inventory, cluster)) == {"weasel", "otter", "badger"}
    assert sorted(seen) == sorted(each.name for each in inventory)
