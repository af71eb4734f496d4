"""Programs, daemons and units, on this very host and as text."""

import os
import subprocess
from pathlib import Path

import pytest

from san.observe import services


def asked(text, **environment):
    shell = subprocess.run(
        ["/bin/sh", "-c", text],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert shell.stderr == ""
    return services.parse(shell.stdout.splitlines())


def test_a_daemon_that_runs_is_found_and_no_other():
    own = Path("/proc/self/comm").read_text().strip()
    found = asked(services.shell(daemons=[own, "no-such-daemon"]))
    assert found.running == {own}


def test_programs_on_the_path_are_found(tmp_path):
    program = tmp_path / "san-program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = asked(services.shell(programs=["san-program", "no-such-program"]), PATH=str(tmp_path))
    assert found.programs == {"san-program"}


@pytest.mark.parametrize(
    ("links", "state"),
    [
        ({}, "absent"),
        ({"san-x.service": "/etc/hosts"}, "disabled"),
        (
            {
                "san-x.service": "/etc/hosts",
                "multi-user.target.wants/san-x.service": "../san-x.service",
            },
            "enabled",
        ),
        ({"san-x.service": "/dev/null"}, "masked"),
    ],
)
def test_how_a_unit_stands_at_boot(tmp_path, links, state):
    for name, target in links.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
    text = services.shell(units=["san-x.service"])
    for directory in ("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"):
        text = text.replace(directory, str(tmp_path))
    found = asked(text)
    assert found.boot == {"san-x.service": state}
    assert found.enabled("san-x.service") is (state == "enabled")


def test_other_lines_are_passed_over():
    found = services.parse(["", "unit", "unit x odd", "daemon", "anything else at all"])
    assert found == services.Services(frozenset(), frozenset(), {})
    assert not found.enabled("x")
