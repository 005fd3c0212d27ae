"""GPT-3's scores by size (Brown et al. 2020, Table H.1): orders of magnitude to human level.

Facts of the paper, not part of this repository: expected beside it, or where ISOFLOP_SHARED_DATA
says. The row of WebQs was never verified and is used in the mean of all tasks only.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from isoflop.exchange.run_tables import read_runs
from isoflop.plan.forecast.orders import Orders, OrdersSpec, count_groups, measure_orders
from isoflop.plan.forecast.score_curve import fit_score, orders_to
from isoflop.plan.forecast.score_forms import SCORE_FORMS
from isoflop.plan.forecast.scores import average_series, list_series
from isoflop.plan.forecast.transitions import find_transition

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
SCORES = SHARED / "gpt3-task-scores" / "scores.csv"

pytestmark = pytest.mark.skipif(
    not SCORES.exists(),
    reason="the scores of Brown et al. 2020, Table H.1, are not here; point ISOFLOP_SHARED_DATA at "
    "the folder that holds gpt3-task-scores/",
)

PUBLISHED = {
    "LAMBADA": (-0.3, 0.55, 1.3),
    "TriviaQA": (0.1, 0.0, 0.9),
    "CoQA": (-0.4, -0.1, 0.24),
    "Winogrande": (1.7, 3.7, 5.1),
    "SuperGLUE": (2.2, 3.7, 5.0),
    "ANLI-R3": (41, 51, 93),
}
"""Few-shot, parameters beyond 175B: straight in the score, its logit, the log of its error.
Winogrande's 5.1 was rounded from 5.05, which is 5.048."""


@cache
def few_shot() -> Orders:
    return measure_orders(read_runs(SCORES), spec=OrdersSpec(shots="few"))


@pytest.mark.parametrize("task", PUBLISHED)
def test_orders_of_magnitude_to_human_level(task: str) -> None:
    (found,) = (each for each in few_shot().tasks if each.series.task == task)
    forms = ("linear", "logit", "power-error")
    for form, expected in zip(forms, PUBLISHED[task], strict=True):
        digits = len(str(expected).partition(".")[2])
        assert found.orders[form].value == pytest.approx(expected, abs=0.53 * 10**-digits)


def test_the_groups_are_the_slides() -> None:
    assert {name: set(tasks) for name, tasks in count_groups(few_shot().tasks).items()} == {
        "passed": {"SAT analogies (few)"},
        "tractable": {"LAMBADA (few)", "TriviaQA (few)", "CoQA (few)"},
        "maybe": {"Winogrande (few)", "SuperGLUE (few)"},
        "less": {"ANLI-R1 (few)", "ANLI-R2 (few)", "ANLI-R3 (few)"},
    }


def test_negative_orders_are_flagged_for_what_they_are() -> None:
    codes = {task.series.task: {f.code for f in task.findings} for task in few_shot().tasks}
    assert "already-passed" in codes["SAT analogies"]
    assert {task for task, found in codes.items() if "wrong-form" in found} == {"LAMBADA", "CoQA"}
    assert "no-progress" in codes["ANLI-R2"]  # its few-shot scores fall with size


def test_every_interval_holds_its_value_and_unverified_levels_are_said() -> None:
    for task in few_shot().tasks:
        for estimate in task.orders.values():
            if estimate is not None:
                assert estimate.low is None or estimate.low <= estimate.value
                assert estimate.high is None or estimate.value <= estimate.high
    assert [finding.code for finding in few_shot().findings] == ["human-level-unverified"]


@pytest.mark.parametrize(
    ("shots", "linear", "logit"), [("zero", 5.9, 9.2), ("one", 4.9, 7.8), ("few", 3.7, 6.2)]
)
def test_the_mean_of_20_tasks(shots: str, linear: float, logit: float) -> None:
    """Linear to 100 %, logit to 95 %, orders of magnitude."""
    series = list_series(read_runs(SCORES), shots=shots)
    (mean,) = average_series(series)
    assert mean.task == "mean of 20 tasks"
    to_all = orders_to(fit_score(mean, SCORE_FORMS["linear"]), 1.0)
    to_most = orders_to(fit_score(mean, SCORE_FORMS["logit"]), 0.95)
    assert to_all.value == pytest.approx(linear, abs=0.05)
    assert to_most.value == pytest.approx(logit, abs=0.055)


def test_of_sixty_series_only_anli_begins_to_move_at_the_largest_size() -> None:
    found = {series.name: find_transition(series) for series in list_series(read_runs(SCORES))}
    jumps = {name: jump for name, jump in found.items() if jump is not None}
    assert set(jumps) == {"ANLI-R3 (few)"}
    assert jumps["ANLI-R3 (few)"].before == 1.3e10
