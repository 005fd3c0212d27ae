"""Optima of laws against the papers, against scipy and against closed forms.

Legend: C FLOPs, N parameters, D tokens, C = 6ND.
"""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, optimum
from scipy.optimize import minimize_scalar

from isoflop.base.errors import RefusalError
from isoflop.laws.forms import JOINT_FORMS
from isoflop.plan.optimum.allocate import plan_from_theta
from isoflop.plan.optimum.choose import plan_budget
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.runs.cost import TokenCost

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


def test_a_law_that_falls_for_ever_has_no_optimum() -> None:
    theta = np.array([0.001, 0.9, 1e10, 1e-6])  # tokens hardly matter: the smallest size wins
    with pytest.raises(RefusalError, match="has no optimum"):
        optimal_params(JOINT_FORMS["kaplan-nd"], theta, 1e30, cost=TokenCost(1.0))
