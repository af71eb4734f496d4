"""A change of Heartbeat's settings must not part two nodes that live."""

import attrs
import pytest

from san.decide.heartbeat import AUTHKEYS, HA_CF, deaf
from san.model import Bcast, Serial
from san.observe.ha_cf import parse_ha_cf
from san.observe.heartbeat import HeartbeatState
from san.render.heartbeat import ha_cf


def linked(cluster, *links, **parts):
    heartbeat = attrs.evolve(cluster.heartbeat, links=links, **parts)
    return attrs.evolve(cluster, heartbeat=heartbeat)


def running(cluster, **parts):
    """Heartbeat as it runs by the settings of `cluster`."""
    state = HeartbeatState(
        installed=True,
        running=True,
        boot="enabled",
        nodes=None,
        holds=None,
        ha_cf=parse_ha_cf(ha_cf(cluster)),
        haresources=None,
        authkeys_mode=0o600,
    )
    return attrs.evolve(state, **parts)


A, B, C = Bcast("replication"), Bcast("path-a"), Bcast("path-b")
SERIAL = Serial("/dev/ttyS1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((A, SERIAL), (A, SERIAL)),
        ((A, SERIAL), (B, SERIAL)),
        ((A, SERIAL), (A, B)),
    ],
)
def test_one_link_that_stays_is_enough(cluster, before, after):
    found = running(linked(cluster, *before))
    assert deaf(linked(cluster, *after), found, {HA_CF}) is None


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ((A, SERIAL), (B, C), {}),
        ((A, B), (A, B), {"udpport": 700}),
        ((A, SERIAL), (B, Serial("/dev/ttyS1", baud=38400)), {}),
    ],
)
def test_no_link_in_common_is_refused(cluster, before, after, parts):
    found = running(linked(cluster, *before))
    assert "keep one link" in deaf(linked(cluster, *after, **parts), found, {HA_CF})


def test_a_new_key_is_refused_while_it_runs_by_an_old_one(cluster):
    assert "Heartbeat's key differs" in deaf(cluster, running(cluster), {AUTHKEYS})
    assert deaf(cluster, running(cluster, authkeys_mode=None), {AUTHKEYS}) is None


def test_a_file_that_stays_parts_nobody(cluster):
    other = running(linked(cluster, B, C))
    assert deaf(cluster, other, set()) is None
