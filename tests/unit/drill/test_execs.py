"""Exec events of a host, read from what its logger wrote."""

import subprocess
from pathlib import Path

import pytest

from san.drill import execs
from san.drill.clock import Timebase
from san.drill.errors import DrillFailedError
from san.drill.execs import Exec

BOOT = "33a418cc64cb4afb9292d1884c3e6661"
BASE = Timebase({BOOT: 1000.0})

# Captured: the first process had ended before it was looked at.
LOG = f"""\
boot {BOOT}
exec 13115.332358 31289 0 \n\
exec 13115.340451 31288 31241 date
exec 13116.197211 31294 30542 apt-get install --download-only --yes
"""


def test_each_event_has_our_time_its_process_and_its_command():
    assert execs.parse(LOG, BASE) == (
        Exec(pytest.approx(14115.332358), 31289, 0, ""),
        Exec(pytest.approx(14115.340451), 31288, 31241, "date"),
        Exec(pytest.approx(14116.197211), 31294, 30542, "apt-get install --download-only --yes"),
    )


def test_a_window_holds_what_begins_in_it():
    told = tuple(Exec(float(second), 1, 1, "true") for second in range(10))

    assert [each.time for each in execs.within(told, 2.5, 5)] == [3, 4, 5]


def test_a_log_with_missing_events_gives_no_count():
    with pytest.raises(DrillFailedError, match="No buffer space available"):
        execs.parse(LOG + "missed No buffer space available\n", BASE)


def test_the_logger_needs_perl_base_alone():
    (inc,) = Path("/usr/lib").glob("*/perl-base")
    script = Path(execs.__file__).with_name("templates") / "execs.pl"
    only = f"BEGIN {{ @INC = ('{inc}') }}"
    checked = subprocess.run(
        ["perl", "-e", f"{only} do '{script}'; print $@", "/nowhere/log"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert checked.stdout == "/nowhere/log: No such file or directory\n"
