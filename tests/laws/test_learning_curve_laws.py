"""The multi-power and the annealing law against sums written out, and the contract of laws."""

import numpy as np
import pytest
from learning_curves import TRAINING

from isoflop.base.errors import InputError
from isoflop.fitting.parametric import fit_parametric
from isoflop.laws.catalog import find_published, predict_published
from isoflop.laws.forms import find_form
from isoflop.laws.law import Array
from isoflop.laws.schedules.annealing import AnnealingLaw
from isoflop.laws.schedules.curve import ScheduleCurve
from isoflop.laws.schedules.multi_power import MultiPowerLaw
from isoflop.laws.schedules.usual import (
    Frame,
    constant_schedule,
    cooldown_schedule,
    cosine_schedule,
)
from isoflop.runs.table import RunTable
from isoflop.testing import LawCase, LawContract

FRAME = Frame(600, 1e-2, 40)
CURVES = (
    cosine_schedule(FRAME, floor=1e-3),
    constant_schedule(FRAME),
    cooldown_schedule(FRAME, at=400, floor=5e-4, decay="exponential"),
    ScheduleCurve("staircase", np.repeat([1e-2, 4e-3, 6e-3, 1e-3], 150)),
)
MEASURED = np.arange(50.0, 600.0, 25.0)
DESIGN = {
    "curve": np.repeat([1.0, 2.0, 3.0, 4.0], len(MEASURED)),
    "steps": np.tile(MEASURED, 4),
}
MULTI_POWER = [2.4, 0.65, 0.43, 20.0, 2.0, 0.6, 0.64]
ANNEALING = [2.4, 0.65, 0.43, 0.9, 0.95]
COLUMNS = {"curve": (1, 2, 3, 4), "steps": (70, 200, 450, 599)}


CASES = [
    LawCase(
        MultiPowerLaw(CURVES),
        [MULTI_POWER, [3.0, 0.5, 0.5, 10.0, 1.0, 0.3, 0.9]],
        columns=COLUMNS,
        designs={"four schedules": DESIGN},
    ),
    LawCase(
        AnnealingLaw(CURVES),
        [ANNEALING, [3.0, 0.5, 0.5, 0.2, 0.9]],
        columns=COLUMNS,
        designs={"four schedules": DESIGN},
    ),
]


class TestLearningCurveLaws(LawContract):
    cases = CASES


def multi_power_by_hand(theta: list[float], lr: Array, s: int) -> float:
    L0, A, alpha, B, C, beta, gamma = theta
    gained = 0.0
    for k in range(1, s + 1):
        drop, since = lr[k - 1] - lr[k], lr[k : s + 1].sum()
        if drop:
            gained += drop * (1 - (1 + C * lr[k] ** -gamma * since) ** -beta)
    return L0 + A * lr[: s + 1].sum() ** -alpha - B * gained


def annealing_by_hand(theta: list[float], lr: Array, s: int) -> float:
    L0, A, alpha, C, lam = theta
    area = sum(
        (lr[k - 1] - lr[k]) * lam ** (i - k) for i in range(1, s + 1) for k in range(1, i + 1)
    )
    return L0 + A * lr[: s + 1].sum() ** -alpha - C * area


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@pytest.mark.parametrize("step", [41, 300, 599])
def test_predictions_are_the_sums_written_out(curve: ScheduleCurve, step: int) -> None:
    at = {"steps": np.array([float(step)])}
    found = MultiPowerLaw((curve,)).predict(np.array(MULTI_POWER), at)
    assert found[0] == pytest.approx(multi_power_by_hand(MULTI_POWER, curve.lr, step), rel=1e-12)
    found = AnnealingLaw((curve,)).predict(np.array(ANNEALING), at)
    assert found[0] == pytest.approx(annealing_by_hand(ANNEALING, curve.lr, step), rel=1e-12)


@pytest.mark.parametrize(("resolution", "error"), [(16, 4e-5), (64, 2e-4)])
def test_merged_drops_miss_the_exact_sum_by_little(resolution: int, error: float) -> None:
    theta, steps = find_published("luo-2025-400m").theta, np.arange(2200.0, 16000.0, 331.0)
    for curve in TRAINING.values():
        exact = MultiPowerLaw((curve,)).predict(theta, {"steps": steps})
        merged = MultiPowerLaw((curve,), resolution).predict(theta, {"steps": steps})
        assert np.abs(merged - exact).max() < error


def test_a_constant_schedule_leaves_the_power_law_at_any_resolution() -> None:
    curve, steps = constant_schedule(Frame(1000, 3e-4)), np.array([10.0, 500.0, 999.0])
    theta = np.array(MULTI_POWER)
    expected = theta[0] + theta[1] * (3e-4 * (steps + 1)) ** -theta[2]
    for resolution in (1, 64):
        found = MultiPowerLaw((curve,), resolution).predict(theta, {"steps": steps})
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_steps_at_a_rate_of_zero_change_nothing() -> None:
    training = cooldown_schedule(FRAME, at=400).lr
    idle = ScheduleCurve("idle", np.append(training, np.zeros(200)))
    at = {"steps": np.array([599.0, 600.0, 799.0])}
    for law, theta in ((AnnealingLaw((idle,)), ANNEALING), (MultiPowerLaw((idle,)), MULTI_POWER)):
        last, first_idle, end = law.predict(np.array(theta), at)
        assert last == pytest.approx(first_idle, rel=1e-14)
        assert last == pytest.approx(end, rel=1e-14)
    # As published, the annealing area goes on growing: the guard is needed.
    assert annealing_by_hand(ANNEALING, idle.lr, 620) < annealing_by_hand(ANNEALING, idle.lr, 599)


def test_higher_rates_lower_the_annealing_laws_prediction_which_is_why_they_are_found() -> None:
    at = {"steps": np.array([599.0])}
    rates = [scale * CURVES[3].lr for scale in (1.0, 2.0, 10.0)]
    laws = [AnnealingLaw((ScheduleCurve("scaled", lr),)) for lr in rates]
    loss = [law.predict(np.array(ANNEALING), at)[0] for law in laws]
    assert loss[0] > loss[1] > loss[2]


def test_one_schedule_is_fitted_by_its_steps_alone() -> None:
    law = AnnealingLaw((CURVES[3],))
    rows = [
        {"steps": step, "loss": annealing_by_hand(ANNEALING, CURVES[3].lr, int(step))}
        for step in MEASURED
    ]
    fit = fit_parametric(RunTable.from_records(rows), law)
    np.testing.assert_allclose(fit.theta, ANNEALING, rtol=1e-6)


def test_a_published_curve_is_predicted_under_its_own_schedule() -> None:
    loss = predict_published(find_published("luo-2025-100m"), {"steps": 23_920.0})
    assert 2.9 < loss.value < 3.0


@pytest.mark.parametrize("name", ["multi-power", "annealing"])
def test_a_law_of_schedules_asked_for_by_name_says_how_to_make_it(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is a law of learning-rate schedules; make it"):
        find_form(name)


def test_laws_are_found_under_their_authors_names() -> None:
    names = {"clark": "routed", "krajewski": "granularity", "kumar": "precision"}
    names |= {"tao": "vocabulary", "pearce": "embedding", "step-law": "learning-rate"}
    assert {author: find_form(author).name for author in names} == names
