"""Planted scores whose distance from human level is known."""

import math

import numpy as np
import pytest

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.plan.forecast.orders import OrdersSpec, count_groups, measure_orders
from isoflop.plan.forecast.score_curve import fit_score, orders_to
from isoflop.plan.forecast.score_forms import SCORE_FORMS
from isoflop.plan.forecast.scores import ScoreSeries, list_series
from isoflop.runs.table import RunTable

SIZES = np.array([1.25e8, 3.5e8, 7.6e8, 1.3e9, 2.7e9, 6.7e9, 1.3e10, 1.75e11])
ORDERS = np.log10(SIZES / SIZES[-1])


def rows_of(task: str, share, shots: str = "few"):
    return [
        {"task": task, "shots": shots, "n_params": n, "score_percent": 100 * s}
        for n, s in zip(SIZES, share, strict=True)
    ]


def logistic(z):
    return 1 / (1 + np.exp(-z))


def wobble(seed: int, size: float):
    return size * np.random.default_rng(seed).standard_normal(len(SIZES))


PLANTED = {
    "linear": lambda t: 0.6 + 0.1 * t,
    "logit": lambda t: logistic(0.4 + 0.8 * t),
    "power-error": lambda t: 1 - 0.3 * 10 ** (-0.15 * t),
}
"""Scores that are straight in each form, by orders of size beyond the largest."""


@pytest.mark.parametrize("form", PLANTED)
def test_a_form_finds_the_size_at_which_its_own_line_reaches_the_level(form: str) -> None:
    human = float(PLANTED[form](2.5))
    table = RunTable.from_records(rows_of("t", PLANTED[form](ORDERS)))
    found = measure_orders(table, {"t": 100 * human}).tasks[0]
    assert found.orders[form].value == pytest.approx(2.5, abs=1e-6)
    assert found.middle <= found.orders["power-error"].value


def test_lines_are_least_squares_and_their_intervals_are_fiellers() -> None:
    """The sizes whose 90 % prediction interval holds the level: Fieller with one new model."""
    share = logistic(0.4 + 0.8 * ORDERS + wobble(1, 0.05))
    series = ScoreSeries("t", "", SIZES, share)
    estimate = orders_to(fit_score(series, SCORE_FORMS["logit"]), 0.9)
    y, target, n, t = np.log(share / (1 - share)), np.log(9.0), len(SIZES), 1.943180  # t(6, .95)
    slope, start = np.polyfit(ORDERS, y, 1)
    assert estimate.value == pytest.approx((target - start) / slope, abs=1e-6)
    variance = np.sum((y - start - slope * ORDERS) ** 2) / (n - 2)
    spread = np.sum((ORDERS - ORDERS.mean()) ** 2)
    # (target - mean(y) - slope·u)² = t²·variance·(1 + 1/n + u²/spread) in u = order - mean
    rest = target - y.mean()
    roots = np.roots([slope**2 - t**2 * variance / spread, -2 * slope * rest,
                      rest**2 - t**2 * variance * (1 + 1 / n)])  # fmt: skip
    low, high = sorted(roots + ORDERS.mean())
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.12)


@pytest.mark.study
def test_nine_in_ten_intervals_hold_the_order_at_which_a_model_reaches_the_level() -> None:
    """A model of the true size scores above or below: its score lies in the interval there."""
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        share = logistic(0.4 + 0.8 * ORDERS + 0.1 * rng.standard_normal(len(SIZES)))
        new = float(logistic(0.4 + 0.8 * 2.0 + 0.1 * rng.standard_normal()))
        estimate = orders_to(fit_score(ScoreSeries("t", "", SIZES, share), SCORE_FORMS["logit"]),
                             new)  # fmt: skip
        high = math.inf if estimate.high is None else estimate.high
        held.append((estimate.low or -math.inf) <= 2.0 <= high)
    assert 0.85 <= np.mean(held) <= 0.96


def test_a_broken_power_law_sees_the_bend_that_the_lines_miss() -> None:
    t = np.linspace(-4, 0, 14)
    size = 1e11 * 10**t
    error = 0.9 * 10 ** (-0.05 * (t + 4)) * (1 + 10 ** ((t + 1.5) / 0.15)) ** (-0.4 * 0.15)
    series = ScoreSeries("t", "", size, 1 - error)
    t_human = 1.0
    human = 1 - 0.9 * 10 ** (-0.05 * 5) * (1 + 10 ** (2.5 / 0.15)) ** (-0.4 * 0.15)
    bnsl = orders_to(fit_score(series, SCORE_FORMS["bnsl"]), human)
    line = orders_to(fit_score(series, SCORE_FORMS["power-error"]), human)
    assert bnsl.value == pytest.approx(t_human, abs=0.05)
    assert line.value > 1.8


def planted_table() -> RunTable:
    """Near, farther and far tasks, one passed, and one that does not move."""
    rows = rows_of("near", logistic(2.0 + 0.6 * ORDERS + wobble(0, 0.02)))
    rows += rows_of("far", logistic(0.5 + 0.5 * ORDERS + wobble(1, 0.02)))
    rows += rows_of("flat", 0.34 + 0.004 * ORDERS + wobble(2, 0.002))
    rows += rows_of("done", logistic(1.0 + 0.6 * ORDERS + wobble(3, 0.02)))
    rows += rows_of("falls", 0.34 - 0.004 * ORDERS)
    return RunTable.from_records(rows, source="scores.csv")


def test_tasks_are_grouped_by_their_distance_and_what_misleads_is_flagged() -> None:
    levels = {"near": 90, "far": 90, "flat": 91, "done": 60, "falls": 91}
    found = measure_orders(planted_table(), levels)
    assert count_groups(found.tasks) == {
        "passed": ["done (few)"],
        "tractable": ["near (few)"],
        "maybe": ["far (few)"],
        "less": ["flat (few)", "falls (few)"],
    }
    by_task = {task.series.task: task for task in found.tasks}
    codes = {name: {f.code for f in task.findings} for name, task in by_task.items()}
    assert "already-passed" in codes["done"]
    assert by_task["done"].orders["logit"].value < 0
    assert by_task["near"].orders["linear"].value < 0  # saturating scores under a straight line
    assert "wrong-form" in codes["near"]
    assert by_task["falls"].orders["linear"] is None
    assert "no-progress" in codes["falls"]
    assert "forms-disagree" in codes["far"]
    assert not found.findings  # every level is the user's own


def test_defaults_are_said_to_be_unverified_and_a_family_takes_one_level() -> None:
    share = 0.34 + 0.02 * (ORDERS + 3)
    rows = [row for k in (1, 2) for row in rows_of(f"ANLI-R{k}", share + wobble(k, 0.001))]
    table = RunTable.from_records(rows)
    default = measure_orders(table)
    assert [f.code for f in default.findings] == ["human-level-unverified"]
    assert {task.human for task in default.tasks} == {0.91}
    given = measure_orders(table, {"ANLI": 80})
    assert {task.human for task in given.tasks} == {0.8}
    assert given.findings == ()


def test_a_level_of_all_right_is_reached_by_the_score_alone() -> None:
    table = RunTable.from_records(rows_of("t", PLANTED["linear"](ORDERS)))
    found = measure_orders(table, every=100).tasks[0]
    assert found.orders["linear"].value == pytest.approx(4.0, abs=1e-6)
    assert found.orders["logit"] is None
    assert found.orders["power-error"] is None
    assert "no-progress" not in {f.code for f in found.findings}


def test_the_mean_of_all_tasks_is_the_mean_of_their_scores() -> None:
    rows = rows_of("a", 0.5 + 0.05 * ORDERS) + rows_of("b", 0.7 + 0.03 * ORDERS)
    found = measure_orders(RunTable.from_records(rows), every=68, average=True).tasks[0]
    assert found.series.name == "mean of 2 tasks (few)"
    assert found.orders["linear"].value == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"score_percent": 120.0}, RunTableError, "row 1 `score_percent`: found 120, expected"),
        ({"score_percent": None}, RunTableError, "row 1 `score_percent`: found nan"),
        ({"n_params": 3.5e8}, RunTableError, "t (few) has two scores at 3.5e+08"),
        ({"n_params": None}, RunTableError, "row 1 `n_params`: no positive n_params"),
    ],
)
def test_bad_rows_are_named(change, error, message: str) -> None:
    rows = rows_of("t", 0.5 + 0.05 * ORDERS)
    rows[0] |= change
    with pytest.raises(error) as caught:
        measure_orders(RunTable.from_records(rows, source="s.csv"), {"t": 90})
    assert message in str(caught.value)


def test_bad_questions_are_refused_with_what_to_do() -> None:
    table = RunTable.from_records(rows_of("mine", 0.5 + 0.05 * ORDERS), source="s.csv")
    with pytest.raises(InputError, match=r"no task has a human level; .*--human mine=90"):
        measure_orders(table)
    with pytest.raises(UnknownNameError, match="did you mean mine"):
        measure_orders(table, {"min": 90})
    with pytest.raises(InputError, match="between 0 and 100 percent, found 120 for mine"):
        measure_orders(table, {"mine": 120})
    with pytest.raises(InputError, match="the mean of all tasks has no human level"):
        measure_orders(table, average=True)
    with pytest.raises(UnknownNameError, match="unknown value of shots 'one'"):
        measure_orders(table, {"mine": 90}, spec=OrdersSpec(shots="one"))
    with pytest.raises(UnknownNameError, match="unknown task 'other'"):
        measure_orders(table, {"mine": 90}, spec=OrdersSpec(chance={"other": 25}))
    with pytest.raises(InputError, match=r"mine \(few\) has scores at 3 sizes; 4 are needed"):
        list_series(table.select(np.arange(8) < 3))
    with pytest.raises(RunTableError, match="no column `score_percent`"):
        list_series(RunTable.from_records([{"task": "t", "n_params": 1e9, "loss": 2.0}]))


def test_the_same_table_gives_the_same_answer() -> None:
    table = planted_table().select(np.arange(40) < 8)
    first, again = (measure_orders(table, {"near": 92}).to_dict() for _ in range(2))
    assert first == again


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_scores_that_are_all_alike_have_no_forecast(share: float) -> None:
    table = RunTable.from_records(rows_of("t", np.full(len(SIZES), share)))
    found = measure_orders(table, {"t": 90}).tasks[0]
    assert set(found.orders.values()) == {None}
    assert all(curve.reason for curve in found.curves.values())
    assert found.group == ("passed" if share == 1 else "unknown")


def test_scores_of_models_beyond_all_sense_are_no_crash() -> None:
    rows = rows_of("t", 0.5 + 0.05 * ORDERS)
    table = RunTable.from_records([{**row, "n_params": row["n_params"] * 1e48} for row in rows])
    found = measure_orders(table, {"t": 90}).tasks[0]
    assert found.orders["linear"].value == pytest.approx(8.0)
