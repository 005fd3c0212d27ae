"""Information criteria against densities integrated numerically and textbook formulas."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from isoflop.fitting.objective import Objective
from isoflop.fitting.trials.criteria import Criteria, measure_criteria

RESIDUALS = np.random.default_rng(0).standard_t(3, 60) * 0.005


def test_squares_give_the_normal_likelihood() -> None:
    found = measure_criteria(RESIDUALS, Objective("squared"), 5)
    sigma2 = np.mean(RESIDUALS**2)
    density = np.exp(-(RESIDUALS**2) / (2 * sigma2)) / np.sqrt(2 * np.pi * sigma2)
    assert found.log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-12)


@pytest.mark.parametrize("delta", [1e-3, 5e-3, 0.1])
def test_hubers_loss_gives_the_likelihood_of_its_own_density(delta: float) -> None:
    objective = Objective("huber", delta)

    def log_likelihood(log_t: float) -> float:
        t = np.exp(log_t)
        area, _ = quad(
            lambda x: np.exp(-objective.value(np.array([x]))[0] / t), 0, 0.5, limit=500,
            points=[delta],
        )  # fmt: skip
        return float(-objective.value(RESIDUALS).sum() / t - len(RESIDUALS) * np.log(2 * area))

    start = np.log(objective.value(RESIDUALS).mean())
    best = minimize_scalar(
        lambda x: -log_likelihood(x), bounds=(start - 2, start + 2), method="bounded"
    )
    found = measure_criteria(RESIDUALS, objective, 5)
    assert found.log_likelihood == pytest.approx(-best.fun, rel=1e-6)


def test_the_criteria_are_the_textbooks() -> None:
    # Burnham & Anderson 2002, section 2.4: AICc = −2 log L + 2k + 2k(k+1)/(n−k−1).
    criteria = Criteria(log_likelihood=100.0, n_parameters=4, n_runs=25)
    assert criteria.aic_c == pytest.approx(-200 + 8 + 40 / 20)
    assert criteria.bic == pytest.approx(-200 + 4 * np.log(25))
    assert Criteria(100.0, 4, 5).aic_c == np.inf


def test_the_noise_counts_as_a_parameter() -> None:
    assert measure_criteria(RESIDUALS, Objective("squared"), 5).n_parameters == 6


def test_a_perfect_fit_has_a_likelihood() -> None:
    for kind in ("squared", "huber"):
        found = measure_criteria(np.zeros(9), Objective(kind), 2)
        assert np.isfinite(found.log_likelihood)
