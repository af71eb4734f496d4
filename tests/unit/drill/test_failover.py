"""A failover's figures, put together from three logs."""

import pytest

from san.drill.errors import DrillFailedError
from san.drill.execs import Exec
from san.drill.failover import Writes, judged
from san.drill.takeover import Step, Takeover

STRUCK = 5000.0  # our clock
WRITES = Writes(acked=9, lost=0, errors=0)
STORY = Takeover(6.0, (Step("drbd", 6.5, 8.0), Step("target", 8.0, 10.0)), True, ())
PROGRAMS = [Exec(STRUCK + second, 1, 1, "sh") for second in (-1, 5.9, 6.0, 7.0, 10.0, 10.1)]
ENDS = (-2.0, -1.0, 0.1, 12.5, 12.6, 15.6)


def test_a_gap_is_split_where_the_survivor_says_so():
    seen = judged(STORY, ENDS, PROGRAMS, STRUCK, WRITES)

    assert seen.gap_seconds == pytest.approx(12.4)
    assert seen.detection_seconds == 6.0
    assert seen.takeover_seconds == 4.0
    assert seen.client_seconds == 2.5


def test_programs_count_from_declared_dead_to_the_last_start():
    assert judged(STORY, ENDS, PROGRAMS, STRUCK, WRITES).exec_events == 3


def test_a_client_that_writes_before_the_last_start_waits_for_nothing():
    assert judged(STORY, (0.1, 9.5, 9.6), PROGRAMS, STRUCK, WRITES).client_seconds == 0


@pytest.mark.parametrize(
    ("story", "complaint"),
    [
        (Takeover(None, (), False, ()), "doesn't tell of a takeover"),
        (Takeover(6.0, (), False, ()), "doesn't tell of a takeover"),
        (Takeover(6.0, (Step("tgt", 8.0, 8.0),), False, ()), "doesn't tell when tgt had started"),
    ],
)
def test_a_story_with_a_hole_gives_no_figures(story, complaint):
    with pytest.raises(DrillFailedError, match=complaint):
        judged(story, ENDS, PROGRAMS, STRUCK, WRITES)
