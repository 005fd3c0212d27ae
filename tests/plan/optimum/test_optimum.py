"""Plans against the papers, against scipy and against closed forms.

Legend: C FLOPs, N parameters, D tokens, C = 6ND.
"""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, optimum, table_of
from scipy.optimize import minimize_scalar

import isoflop
from isoflop.base.errors import InputError, RefusalError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.forms import JOINT_FORMS
from isoflop.plan.optimum.allocate import plan_from_fit, plan_from_theta
from isoflop.plan.optimum.choose import plan_budget
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.runs.cost import TokenCost

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=100, n_starts=8)
FIT = isoflop.fit(make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005), spec=SPEC)

# Recomputed from the papers' constants by hand, in the digits given: N, D, D/N.
PAPERS = [
    ("hoffmann-2022-tex", 1e20, ("7.8e8", "2.2e10", "28")),
    ("hoffmann-2022-tex", 1e22, ("6.3e9", "2.6e11", "41")),
    ("hoffmann-2022-tex", 5.76e23, ("4.0e10", "2.4e12", "59")),
    ("hoffmann-2022-tex", 1e25, ("1.5e11", "1.1e13", "75")),
    ("hoffmann-2022-tex", 3.8e25, ("2.7e11", "2.3e13", "85")),
    ("besiroglu-2024", 1e20, ("8.5e8", "2.0e10", "22.9")),
    ("besiroglu-2024", 1e22, ("9.1e9", "1.8e11", "20.4")),
    ("besiroglu-2024", 5.76e23, ("7.2e10", "1.3e12", "18.4")),
    ("besiroglu-2024", 1e25, ("3.1e11", "5.3e12", "17.1")),
    ("besiroglu-2024", 3.8e25, ("6.2e11", "1.0e13", "16.5")),
]


def same_digits(value: float, printed: str) -> bool:
    """Whether a value is the printed one, to within one unit of its last digit."""
    mantissa, _, power = printed.partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return abs(value - float(printed)) < unit


@pytest.mark.parametrize(("law", "flops", "expected"), PAPERS)
def test_the_papers_allocations_come_out_in_their_digits(
    law: str, flops: float, expected: tuple[str, str, str]
) -> None:
    plan = plan_budget(law, flops)
    found = (plan.n_params.value, plan.n_tokens.value, plan.tokens_per_param.value)
    for value, printed in zip(found, expected, strict=True):
        assert same_digits(value, printed), (value, printed)


@pytest.mark.parametrize("flops", [1e18, 5.76e23, 1e28])
@pytest.mark.parametrize("surface", SURFACES)
def test_the_closed_form_is_where_a_search_finds_the_minimum(surface: str, flops: float) -> None:
    theta = SURFACES[surface]
    n_params, loss = optimal_params(JOINT_FORMS["chinchilla"], np.array(theta), flops)
    search = minimize_scalar(
        lambda log_n: chinchilla(theta, np.exp(log_n), flops / (6 * np.exp(log_n))),
        bounds=(np.log(1e3), np.log(1e18)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert n_params == pytest.approx(np.exp(search.x), rel=1e-5)
    assert loss == pytest.approx(search.fun, rel=1e-12)
    assert n_params == pytest.approx(optimum(theta, flops), rel=1e-12)


@pytest.mark.parametrize("flops", [1e18, 1e21, 1e24])
@pytest.mark.parametrize(
    ("form", "theta"),
    [
        ("kaplan-nd", (0.076, 0.103, 6.4e13, 1.8e13)),
        ("kaplan-nd-constant", (1.2, 0.2, 0.3, 1e10, 1e11)),
    ],
)
def test_a_form_without_closed_optimum_is_searched_as_scipy_would(
    form: str, theta: tuple[float, ...], flops: float
) -> None:
    E, alpha_N, alpha_D, N_c, D_c = theta if len(theta) == 5 else (0.0, *theta)

    def loss_at(log_n: float) -> float:
        N = np.exp(log_n)
        return E + ((N_c / N) ** (alpha_N / alpha_D) + D_c * 6 * N / flops) ** alpha_D

    grid = np.linspace(np.log(1e2), np.log(1e19), 4001)
    best = grid[np.argmin([loss_at(x) for x in grid])]
    search = minimize_scalar(
        loss_at, bounds=(best - 0.1, best + 0.1), method="bounded", options={"xatol": 1e-10}
    )
    plan = plan_from_theta(JOINT_FORMS[form], np.array(theta), flops, name=form)
    assert plan.n_params.value == pytest.approx(np.exp(search.x), rel=1e-5)
    assert plan.loss.value == pytest.approx(search.fun, rel=1e-12)
    assert plan.n_params.value * plan.n_tokens.value * 6 == pytest.approx(flops, rel=1e-12)


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


def test_a_law_that_falls_for_ever_has_no_optimum() -> None:
    theta = np.array([0.001, 0.9, 1e10, 1e-6])  # tokens hardly matter: the smallest size wins
    with pytest.raises(RefusalError, match="has no optimum"):
        optimal_params(JOINT_FORMS["kaplan-nd"], theta, 1e30, cost=TokenCost(1.0))


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
