"""The time left of a whole ladder, read off its files."""

from dataclasses import replace

import pytest

from isoflop.lab.progress.watch import RungView, ladder_seconds_left

RUNNING = RungView("a", "running", "", 0, 1, 0.5, 10.0, 0.1, 100)
WAITING = RungView("b", "pending", "", 0, 1, 0.0, None, None, 400)


def test_rungs_that_were_never_begun_are_part_of_the_time_left() -> None:
    assert ladder_seconds_left([RUNNING]) == 10.0
    assert ladder_seconds_left([RUNNING, WAITING]) == pytest.approx(10.0 + 0.1 * 400)
    # Two side by side: the longest is the whole.
    assert ladder_seconds_left([RUNNING, RUNNING, WAITING]) == pytest.approx(40.0)
    slow = replace(RUNNING, step_seconds=0.3, seconds_left=30.0)
    assert ladder_seconds_left([RUNNING, slow, WAITING]) == pytest.approx(0.2 * 400)


def test_nothing_is_guessed_without_a_pace_and_what_went_wrong_is_not_waited_for() -> None:
    assert ladder_seconds_left([WAITING]) is None
    gone = replace(WAITING, state="oom")
    assert ladder_seconds_left([RUNNING, gone]) == 10.0
    over = replace(RUNNING, state="finished", seconds_left=None, steps_left=0)
    assert ladder_seconds_left([over]) is None
