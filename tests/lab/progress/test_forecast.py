"""The time left: start-up counts, what is on disk does not, ranks train one rung after another."""

import pytest

from isoflop.lab.launchers.layout import Layout
from isoflop.lab.progress.forecast import Forecast, Outlook

ALONE = Layout(1, "on 1 worker", start_seconds=4.0)


def steps(rung: str, count: int) -> dict[str, object]:
    return {"event": "steps", "rung": rung, "steps": count}


def test_the_start_of_a_worker_is_in_the_time_left_until_it_is_over() -> None:
    forecast = Forecast(Outlook({"d8": 100}, {"d8": 0}, {"d8": 20.0}, ALONE))
    assert forecast.total_seconds() == 24.0
    assert forecast.seconds_left(0.0) == 24.0
    assert forecast.seconds_left(3.0) == 21.0
    assert forecast.seconds_left(30.0) == 20.0  # a busy machine: nothing is trained yet
    forecast.hear({"event": "ready"}, 30.0)
    forecast.hear(steps("d8", 50), 40.0)
    # The pace is that of training: 50 steps in ten seconds, as predicted.
    assert forecast.seconds_left(40.0) == pytest.approx(10.0)


def test_checkpoints_are_credited_once_and_are_no_pace() -> None:
    steps_of, seconds = {"d8": 100, "d16": 100}, {"d8": 20.0, "d16": 20.0}
    outlook = Outlook(steps_of, {"d8": 80, "d16": 0}, seconds, ALONE)
    forecast = Forecast(outlook)
    assert forecast.total_seconds() == 4.0 + 4.0 + 20.0
    assert forecast.done_share() == 0.4
    forecast.hear({"event": "ready"}, 4.0)
    forecast.hear(steps("d8", 80), 4.0)  # what a worker tells first of a rung that it resumes
    assert forecast.taken["d8"] == 80
    assert forecast.seconds_left(4.0) == pytest.approx(24.0)
    forecast.hear(steps("d8", 20), 12.0)  # twice as slow as predicted
    assert forecast.done_share() == 0.5
    assert forecast.seconds_left(12.0) == pytest.approx(20.0 * (1 / 6 * 2 + 5 / 6))


def test_ranks_start_anew_for_every_rung() -> None:
    ranks = Layout(1, "one after the other", ranks=2, start_seconds=8.0, starts="rung")
    outlook = Outlook({"d8": 10, "d16": 10}, {}, {"d8": 20.0, "d16": 30.0}, ranks)
    forecast = Forecast(outlook)
    assert forecast.total_seconds() == 66.0
    forecast.hear({"event": "ready", "rung": "d16"}, 8.0)
    assert forecast.seconds_left(8.0) == pytest.approx(58.0)
    forecast.hear(steps("d16", 10), 38.0)
    assert forecast.seconds_left(38.0) == pytest.approx(28.0)


def test_several_workers_take_as_long_as_the_longest_row_of_rungs() -> None:
    names = ["a", "b", "c"]
    two = Layout(2, "on 2 workers", start_seconds=0.0)
    outlook = Outlook(dict.fromkeys(names, 10), {}, dict.fromkeys(names, 10.0), two)
    assert Forecast(outlook).total_seconds() == 20.0
