"""Plans of budgets: their intervals, their reach, and what is refused.

Legend: C FLOPs, N parameters, D tokens, C = 6ND.
"""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, optimum, table_of

import isoflop
from isoflop.base.errors import InputError, RefusalError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.solve.solver import Outcome
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.plan.optimum.choose import plan_budget

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=100, n_starts=8)
FIT = isoflop.fit(make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005), spec=SPEC)


@pytest.mark.parametrize("flops", [1e20, 1e23, 1e25])
def test_intervals_hold_the_point_and_widen_with_distance(flops: float) -> None:
    plan, nearer = plan_budget(FIT, flops), plan_budget(FIT, flops / 100)
    for name in ("n_params", "n_tokens", "loss", "tokens_per_param"):
        estimate = getattr(plan, name)
        assert estimate.low < estimate.value < estimate.high
        assert estimate.level == 0.9
    assert plan.n_params.value * plan.n_tokens.value * 6 == pytest.approx(flops, rel=1e-9)
    spread = [p.tokens_per_param.high / p.tokens_per_param.low for p in (nearer, plan)]
    assert spread[1] > spread[0]


def test_the_interval_of_the_optimum_is_that_of_its_closed_form() -> None:
    plan = plan_budget(FIT, 1e23)
    _, A, B, alpha, beta = FIT.draws.T
    many = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (1e23 / 6) ** (beta / (alpha + beta))
    centre = np.log(plan.n_params.value)
    low, high = centre + FIT.stretch * (np.quantile(np.log(many), [0.05, 0.95]) - centre)
    assert np.log([plan.n_params.low, plan.n_params.high]) == pytest.approx([low, high], rel=2e-3)


def test_the_optimum_of_noisy_runs_is_inside_its_interval_nine_times_in_ten() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    held = 0
    for seed in range(40):
        table = make_table(EPOCH, N, D, noise=0.005, seed=seed)
        spec = FitSpec(Objective("squared"), n_resamples=100, n_starts=4, seed=seed)
        found = plan_budget(isoflop.fit(table, spec=spec), 1e23).n_params
        assert found.low is not None
        assert found.high is not None
        held += found.low <= optimum(EPOCH, 1e23) <= found.high
    assert held >= 29  # of a true 90 %, fewer once in a thousand


def test_published_constants_come_without_an_interval_and_the_note_says_why() -> None:
    plan = plan_budget("besiroglu-2024", 5.76e23)
    assert plan.n_params.low is None
    assert "published constants without their covariance: no interval can be given" in plan.notes


def test_a_plan_says_how_far_it_reaches() -> None:
    largest = FIT.data.ranges["flops"][1]
    assert any(
        note == "extrapolates 100× beyond the largest run"
        for note in plan_budget(FIT, 100 * largest).notes
    )
    assert any(
        note == "within the compute of the runs" for note in plan_budget(FIT, largest / 2).notes
    )


@pytest.mark.parametrize("flops", [0.0, -1e20, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("law", ["besiroglu-2024", "fit"])
def test_a_budget_that_is_none_is_refused(law: str, flops: float) -> None:
    with pytest.raises(InputError, match="a budget must be a positive number of FLOPs"):
        plan_budget(FIT if law == "fit" else law, flops)


@pytest.mark.parametrize("flops", [1e-300, 1.0, 1e300])
def test_a_budget_no_model_can_spend_is_refused(flops: float) -> None:
    with pytest.raises(RefusalError, match="parameters, which no model has"):
        plan_budget(FIT, flops)


@pytest.mark.parametrize("outcome", [Outcome.NOT_CONVERGED, Outcome.UNIDENTIFIED])
def test_a_fit_that_failed_makes_no_plan(outcome: Outcome) -> None:
    with pytest.raises(RefusalError, match="no plan from this fit"):
        plan_from_fit(replace(FIT, outcome=outcome), 1e22)


def test_a_fit_at_a_bound_plans_and_says_so() -> None:
    plan = plan_from_fit(replace(FIT, outcome=Outcome.AT_BOUND), 1e22)
    assert Outcome.AT_BOUND.value in plan.notes


def test_a_law_of_one_variable_makes_no_plan() -> None:
    C = np.geomspace(1e17, 1e22, 8)
    fit = isoflop.fit(table_of(flops=C, loss=60 * C**-0.07), "power", spec=SPEC)
    with pytest.raises(InputError, match="power is a law of flops; a plan needs one of n_params"):
        plan_budget(fit, 1e22)


def test_a_plan_is_the_contracts_json_object() -> None:
    document = plan_budget(FIT, 1e22).to_dict()
    for name in ("n_params", "n_tokens", "loss", "tokens_per_param"):
        assert set(document[name]) == {"value", "low", "high", "level"}
    assert document["flops"] == 1e22


def test_a_frontier_plans_with_its_intervals() -> None:
    theta = SURFACES["sym"]
    table = make_table(theta, *isoflop_design(theta), noise=0.002)
    plan = plan_budget(isoflop.fit(table, method="isoflop", spec=SPEC), 1e23)
    for name in ("n_params", "n_tokens", "loss", "tokens_per_param"):
        estimate = getattr(plan, name)
        assert estimate.low < estimate.value < estimate.high
    truth = float(chinchilla(theta, optimum(theta, 1e23), 1e23 / 6 / optimum(theta, 1e23)))
    assert plan.n_params.value == pytest.approx(optimum(theta, 1e23), rel=0.1)
    assert plan.loss.value == pytest.approx(truth, rel=0.02)


def test_two_optima_are_too_few_for_a_loss_and_the_json_says_null() -> None:
    theta = SURFACES["sym"]
    table = make_table(theta, *isoflop_design(theta, budgets=np.array([1e19, 1e20])))
    plan = plan_budget(isoflop.fit(table, method="isoflop", spec=SPEC), 1e23)
    assert plan.n_params.value == pytest.approx(optimum(theta, 1e23), rel=1e-6)
    assert plan.to_dict()["loss"] == {"value": None, "low": None, "high": None, "level": 0.9}
    assert "too few optima to extrapolate the loss" in plan.notes
