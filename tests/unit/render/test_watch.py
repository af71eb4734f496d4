"""The watch's configuration."""

import re

import attrs
from reference import changed

from san.model import Portal, Volume
from san.model.timing import WATCH_DETECTION, WATCH_DOUBT
from san.observe import stgt, watch
from san.render.template import raw
from san.render.watch import PROGRAM, UNIT, watch_conf, watch_files


def words(cluster):
    lines = watch_conf(cluster).splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_it_names_what_haresources_starts_and_every_volume(cluster):
    (group,) = cluster.volume_groups
    more = attrs.evolve(group, volumes=(*group.volumes, Volume("more", "64M")))
    found = words(
        changed(
            cluster,
            volume_groups=(more,),
            portals=(Portal("192.168.1.7/24"),),
            address_agent="IPaddr2",
        )
    )
    assert [line for line in found if line[0] in {"resource", "volume", "drbd"}] == [
        ["drbd", "r0", "0"],
        ["volume", "storage/test"],
        ["volume", "storage/more"],
        ["resource", "drbd-primary", "r0"],
        ["resource", "volume-group", "storage"],
        ["resource", "arp_filter"],
        ["resource", "iscsi-target"],
        ["resource", "IPaddr2", "192.168.1.7/24/eth2"],
    ]


def test_a_hung_target_is_noticed_within_ten_seconds(cluster):
    """At most: a pause, an answer that doesn't come, the doubt's second, another such answer."""
    figures = dict(line for line in words(cluster) if len(line) == 2)
    looks = int(figures["every"]) + 2 * int(figures["answer"]) + WATCH_DOUBT
    assert looks < WATCH_DETECTION
    assert f"$DOUBT_S = {WATCH_DOUBT};" in raw("watch/san-watch")


def test_each_figure_is_read_by_the_program(cluster):
    (listed,) = re.findall(r"@FIGURES = qw\((.*)\)", raw("watch/san-watch"))
    others = {"node", "drbd", "volume", "resource"}
    assert {line[0] for line in words(cluster)} == {*listed.split(), *others}


def test_secrets_stay_in_the_targets_file(cluster):
    assert not any(file.secret for file in watch_files(cluster))


def test_the_unit_runs_the_program_and_spares_what_it_started():
    unit = raw(f"watch/{UNIT}").splitlines()
    assert f"ExecStart={PROGRAM}" in unit
    assert "KillMode=process" in unit
    assert watch.UNIT == UNIT


def test_all_know_the_watch_by_one_name():
    name = f"'{stgt.WATCH}'"
    assert f"$NAME = {name};" in raw("watch/Initiator.pm")
    assert f"$WATCH = {name};" in raw("resource.d/iscsi-target.stgt")
