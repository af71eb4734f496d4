"""A drill that ended as it must."""

import pytest
from ended import WHOLE

from san.drill import outcome
from san.drill.fault import Expectation
from san.drill.outcome import Outcome
from san.drill.roles import PRIMARY
from san.drill.stage import OFF
from san.drill.strain import Strain
from san.drill.timeline import Span


@pytest.fixture
def survived():
    return Outcome(
        fault="power-cut",
        title="Power cut <&>",
        depth=16,
        fenced=False,
        serving="weasel",
        standby="otter",
        client="badger",
        accel="tcg",
        suite="bookworm",
        started="2026-11-28T18:00:00+00:00",
        seconds=140.0,
        expected=Expectation(gap=60, serves="standby"),
        steps=((0.0, "power of the serving node cut"), (20.0, "power of the serving node back")),
        waits=outcome.waits([-2, -1, 21.5, 22, 24.5], until=25),
        acked=1499,
        errors=0,
        verification={"checked": 1499, "lost": 0, "corrupt": 0},
        reigns={"weasel": (Span(PRIMARY, -10, 0),), "otter": (Span(PRIMARY, 15, 25),)},
        outages={"weasel": (Span(OFF, 0, 20),), "otter": ()},
        after=WHOLE,
        forbidden=(),
        booted=("weasel",),
        strain=Strain(),
        events=(),
        rate=((-1.0, 4.0), (-0.5, 2.0), (21.5, 6.0)),
        notes=("the deploy beside it ended with 1",),
        clock_uncertainty=0.004,
        failover=None,
    )
