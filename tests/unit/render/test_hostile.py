"""Values that would break out of a file never reach a template: the model refuses them."""

import attrs
import pytest
from reference import changed

from san.model import (
    Acl,
    Chap,
    DrbdResource,
    InventoryError,
    Network,
    Portal,
    Secret,
    Serial,
    Volume,
    VolumeGroup,
)

HOSTILE = [
    "a b",
    "a\nb",
    'a"b',
    "a;b",
    "a::b",
    "a'b",
    "$(id)",
    "a{%b",
    "{{a}}",
    "a#b c",
    "a\tb",
    "a\\",
]


def group(name="storage", volume="test"):
    return {"volume_groups": (VolumeGroup(name, ("r0",), (Volume(volume, "1G"),)),)}


def target(cluster, **parts):
    return {"targets": (attrs.evolve(cluster.targets[0], **parts),)}


def network(cluster, value):
    more = Network("more", interface=value, role="replication", subnet="10.9.0.0/24")
    return {"networks": (*cluster.networks, more)}


def serial(cluster, value):
    links = (*cluster.heartbeat.links, Serial(f"/dev/{value}"))
    return {"heartbeat": attrs.evolve(cluster.heartbeat, links=links)}


PLACES = {
    "resource": lambda _, value: {"resources": (DrbdResource(value, disk="/dev/sdb"),)},
    "disk": lambda _, value: {"resources": (DrbdResource("r0", disk=f"/dev/{value}"),)},
    "interface": network,
    "portal": lambda cluster, value: {"portals": (*cluster.portals, Portal(value))},
    "serial": serial,
    "volume": lambda _, value: group(volume=value),
    "group": lambda _, value: group(name=value),
    "target": lambda cluster, value: target(cluster, name=f"iqn.2009-02.com.example:{value}"),
    "alias": lambda cluster, value: target(cluster, alias=value),
    "user": lambda cluster, value: target(cluster, chap=Chap(value, Secret("CHAP_SECRET"))),
    "acl": lambda cluster, value: target(cluster, acl=Acl((value,))),
    "client": lambda cluster, value: {"clients": (attrs.evolve(cluster.clients[0], iqn=value),)},
}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_refused(cluster, place, value):
    with pytest.raises(InventoryError):
        changed(cluster, **PLACES[place](cluster, value))


@pytest.mark.parametrize("name", ["CHAP_SECRET", "DRBD_SECRET", "HEARTBEAT_SECRET"])
@pytest.mark.parametrize("value", HOSTILE)
def test_refused_as_a_secret(cluster, monkeypatch, name, value):
    monkeypatch.setenv(name, f"0123456789{value}"[:16])
    with pytest.raises(InventoryError) as refusal:
        changed(cluster)
    assert value not in str(refusal.value).replace("`_.,:@%/+-`, without `::`", "")
