"""The watch: on the standby first, restarted only for another program, and asked at the end."""

PROGRAM = "/usr/local/sbin/san-watch"
CONFIG = "/etc/san/watch.conf"
UNIT = "san-watch.service"


def restarts(ran):
    return [host for host, command in ran.commands if f"systemctl restart {UNIT}" in command]


def altered(path):
    def change(node):
        content, mode = node.files[path]
        node.files[path] = (f"{content}# another\n", mode)

    return change


def test_it_runs_on_both_nodes_and_starts_at_boot(served):
    for name in ("weasel", "otter"):
        node = served.world.machines[name]
        assert UNIT in node.running
        assert UNIT in node.enabled
    assert served.world.machines["badger"].text(PROGRAM) is None


def test_another_program_reaches_the_standby_first_and_restarts_it(served):
    change = altered(PROGRAM)
    served.change(weasel=change, otter=change)
    ran = served.run("--json", "-y")
    assert ran.returncode == 0, ran.output
    assert restarts(ran) == ["otter", "weasel"]
    assert ran.changed == {
        ("Watch, standby first", "@fake/otter"),
        ("Watch, serving node", "@fake/weasel"),
    }


def test_another_configuration_restarts_nothing(served):
    """It reads that by itself."""
    served.change(weasel=altered(CONFIG))
    ran = served.run("--json", "-y")
    assert len(ran.changed) == 1
    assert restarts(ran) == []


def test_a_stopped_watch_is_started(served):
    served.change(otter=lambda node: node.running.discard(UNIT))
    ran = served.run("--json", "-y")
    assert ran.changed == {("Watch, standby first", "@fake/otter")}
    assert UNIT in served.world.machines["otter"].running


def test_a_run_is_not_done_while_the_serving_nodes_watch_finds_something(served):
    served.change(weasel=lambda node: setattr(node, "finding", "no answer within 3 s"))
    ran = served.run("-y")
    assert "the watch on weasel finds a login: no answer within 3 s" in ran.refusal


def test_what_the_standbys_watch_finds_keeps_no_run(served):
    served.change(otter=lambda node: setattr(node, "finding", "no carrier"))
    assert served.run("-y").returncode == 0
