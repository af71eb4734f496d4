"""Times of the model, in every file that carries one."""

import re
import subprocess

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import changed

from san.model import Timing
from san.model.declare import takes
from san.render.files import client_files, node_files
from san.render.limits import target_script
from san.render.template import TEMPLATES, raw

DRBD, ISCSID, MULTIPATH = "/etc/drbd.d/r0.res", "/etc/iscsi/iscsid.conf", "/etc/multipath.conf"
NODE = "/etc/iscsi/nodes/iqn.2009-02.com.example:test/192.168.1.1,3260,1/default"
TARGET = "/etc/ha.d/resource.d/iscsi-target"
GROUP = "/etc/ha.d/resource.d/volume-group"
PROMOTION = "/etc/ha.d/resource.d/drbd-primary"
MANAGER = "/usr/local/lib/san/Group.pm"
FENCE = "/usr/local/sbin/san-fence"
WATCH = "/etc/san/watch.conf"
SYSCTL = "/etc/sysctl.d/60-san.conf"

LINES = [
    # field, value, file, its line
    ("ping_int", 3, DRBD, "ping-int 3;"),
    ("connect_int", 4, DRBD, "connect-int 4;"),
    ("ping_timeout", 0.9, DRBD, "ping-timeout 9;"),
    ("ping_timeout", 1, DRBD, "ping-timeout 10;"),
    ("drbd_timeout", 1.1, DRBD, "timeout 11;"),
    ("noop_interval", 7, NODE, "node.conn[0].timeo.noop_out_interval = 7"),
    ("noop_timeout", 7, NODE, "node.conn[0].timeo.noop_out_timeout = 7"),
    ("replacement_timeout", 7, NODE, "node.session.timeo.replacement_timeout = 7"),
    ("login_timeout", 7, NODE, "node.conn[0].timeo.login_timeout = 7"),
    ("logout_timeout", 7, NODE, "node.conn[0].timeo.logout_timeout = 7"),
    ("login_attempts", 7, NODE, "node.session.initial_login_retry_max = 7"),
    ("noop_interval", 7, ISCSID, "node.conn[0].timeo.noop_out_interval = 7"),
    ("replacement_timeout", 7, ISCSID, "node.session.timeo.replacement_timeout = 7"),
    ("neighbour_reachable", 7, SYSCTL, "/base_reachable_time_ms = 7000"),
    ("neighbour_patience", 7, SYSCTL, "/mcast_solicit = 7"),
    ("polling_interval", 2, MULTIPATH, "polling_interval 2"),
    ("max_polling_interval", 7, MULTIPATH, "max_polling_interval 7"),
    ("target_answer", 7, TARGET, "my $ANSWER_S = 7; "),
    ("target_start", 7, TARGET, "my $START_S  = 7; "),
    ("target_stop", 7, TARGET, "my $STOP_S   = 7; "),
    ("target_idle", 7, TARGET, "my $BUSY_S   = 7; "),
    ("volume_group", 7, GROUP, "my $LIMIT_S    = 7; "),
    ("promotion", 7, PROMOTION, "my $PATIENCE_S = 7; "),
    ("resource_script", 99, MANAGER, "my $LIMIT_S     = 99; "),
    ("fence_answer", 7, FENCE, "my $ANSWER_S  = 7; "),
    ("fence_peer", 12, FENCE, "my $PROMOTE_S = 12; "),
    ("watch_interval", 3, WATCH, "every 3"),
    ("watch_answer", 2, WATCH, "answer 2"),
    ("watch_slow_lun", 7, WATCH, "slow 7"),
    ("watch_cut", 7, WATCH, "cut 7"),
    ("watch_start", 70, WATCH, "start 70"),
    ("watch_step", 70, WATCH, "step 70"),
    ("resource_script", 100, WATCH, "group 1900"),
    ("watch_moves", 7, WATCH, "moves 7"),
    ("watch_moves_within", 7, WATCH, "moves-within 7"),
    ("watch_takeover", 7, WATCH, "takeover 7"),
    ("watch_retries", 7, WATCH, "retries 7"),
]


def with_timing(cluster, **times):
    """With a deadtime that leaves room for them."""
    patient = attrs.evolve(cluster.heartbeat, deadtime=10, initdead=60)
    timing = attrs.evolve(cluster.timing, **times)
    return changed(cluster, timing=timing, heartbeat=patient)


def files(cluster):
    both = (*node_files(cluster, "weasel"), *client_files(cluster, "badger"))
    return {file.path: file.content for file in both}


def says(found, line):
    """Whether it begins so; what begins with a slash is the end of a key of several interfaces."""
    return found.endswith(line) if line.startswith("/") else found.startswith(line)


@pytest.mark.parametrize(("field", "value", "path", "line"), LINES)
def test_a_time_reaches_its_file(cluster, field, value, path, line):
    before = [found.strip() for found in files(with_timing(cluster))[path].splitlines()]
    after = [
        found.strip() for found in files(with_timing(cluster, **{field: value}))[path].splitlines()
    ]
    assert any(says(found, line) for found in after), after
    assert not any(says(found, line) for found in before)
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert all(not re.match(r"[a-z].*=|my ", old) or says(new, line) for old, new in different)


def test_every_time_is_tried_here():
    assert {line[0] for line in LINES} == {field.name for field in attrs.fields(Timing)}


def test_comments_say_the_same(cluster):
    """The times that a comment explains follow, too."""
    found = files(
        with_timing(
            cluster,
            ping_int=4,
            ping_timeout=0.9,
            noop_timeout=3,
            login_timeout=8,
            polling_interval=2,
        )
    )
    assert "a ping every 4 s, its answer within 0.9 s" in found[DRBD]
    assert "noticed after at most 5 s" in found[ISCSID]
    assert "again ends after 8 s" in found[ISCSID]
    assert "is used within 2 s" in found[MULTIPATH]


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        ("iscsi-target.stgt", {"ANSWER_S": 10, "START_S": 20, "STOP_S": 20, "BUSY_S": 10}),
        ("iscsi-target.iet", {"START_S": 20, "STOP_S": 20}),
        ("volume-group", {"LIMIT_S": 20}),
    ],
)
def test_a_script_as_it_stands_has_the_models_defaults(script, limits):
    """So its own tests run what is deployed where nobody changed a time."""
    found = dict(
        re.findall(r"^(?:my \$)?(\w+_S) *= *(\d+)", raw(f"resource.d/{script}"), re.MULTILINE)
    )
    assert {name: int(value) for name, value in found.items()} == limits
    timing = Timing()
    assert (
        limits.items()
        <= {
            "ANSWER_S": timing.target_answer,
            "START_S": timing.target_start,
            "STOP_S": timing.target_stop,
            "BUSY_S": timing.target_idle,
            "LIMIT_S": timing.volume_group,
        }.items()
    )


def test_by_default_the_scripts_are_their_templates(cluster):
    found = files(cluster)
    assert found[FENCE] == raw("fence/san-fence")
    assert found[TARGET] == raw("resource.d/iscsi-target.stgt")
    assert found[GROUP] == raw("resource.d/volume-group")
    assert found[PROMOTION] == raw("resource.d/drbd-primary")
    assert found[MANAGER] == raw("group/Group.pm")


def test_iets_script_has_its_limits(guide_cluster):
    cluster = attrs.evolve(guide_cluster, timing=Timing(target_start=7, target_stop=9))
    found = target_script(cluster)
    assert re.search(r"^START_S=7 ", found, re.MULTILINE)
    assert re.search(r"^STOP_S=9 ", found, re.MULTILINE)


def test_a_script_without_the_constant_is_an_error(cluster, monkeypatch, tmp_path):
    (tmp_path / "resource.d").mkdir()
    text = raw("resource.d/iscsi-target.stgt").replace("$BUSY_S ", "$IDLE_S ")
    (tmp_path / "resource.d/iscsi-target.stgt").write_text(text, encoding="utf-8")
    monkeypatch.setattr("san.render.template.TEMPLATES", tmp_path)
    monkeypatch.setattr("san.render.limits.raw", raw.__wrapped__)  # what was read once is kept
    with pytest.raises(LookupError, match="0 lines that set BUSY_S"):
        target_script(cluster)


@pytest.mark.parametrize("path", [TARGET, GROUP, FENCE])
def test_a_script_with_other_limits_is_still_perl(cluster, path):
    slow = {"target_start": 600, "volume_group": 600, "watch_start": 1200, "watch_step": 1200}
    content = files(with_timing(cluster, target_idle=1, **slow))[path]
    done = subprocess.run(
        ["perl", "-c"], input=content, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def accepted(field):
    whole = field.type is not float
    values = (number if whole else number / 10 for number in range(1, 700))
    return st.sampled_from([value for value in values if takes(Timing, field.name, value)])


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.builds(Timing, **{field.name: accepted(field) for field in attrs.fields(Timing)}))
def test_any_accepted_timing_renders(cluster, timing):
    found = files(attrs.evolve(cluster, timing=timing))
    numbers = dict(re.findall(r"^ +(ping-timeout|timeout) (\d+);", found[DRBD], re.MULTILINE))
    assert int(numbers["ping-timeout"]) == round(10 * timing.ping_timeout)
    assert int(numbers["timeout"]) == round(10 * timing.drbd_timeout)
    assert not any("{{" in found[path] for path in (DRBD, ISCSID, MULTIPATH, NODE))
    assert re.search(rf"^my \$START_S  = {timing.target_start};", found[TARGET], re.MULTILINE)


def test_no_template_has_a_literal_time():
    """A number of seconds in a configuration template is one that the model doesn't know."""
    allowed = {
        "drbd/resource.res": {"wfc-timeout 0", "outdated-wfc-timeout 0", "degr-wfc-timeout 60"},
    }
    setting = r"^\s*((?:[\w.\[\]-]*(?:timeout|time|interval|-int|retry_max)\b)\s*=?\s*[\d.]+)"
    for path in ("drbd/resource.res", "heartbeat/ha.cf", *map("client/{}".format, CLIENT)):
        found = set(
            re.findall(setting, (TEMPLATES / path).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert found == allowed.get(path, set()), path


CLIENT = ("settings", "iscsid.conf", "node", "multipath.conf")
