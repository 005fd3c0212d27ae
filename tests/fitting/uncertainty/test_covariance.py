"""Standard errors against the closed form of a straight line, and against free directions."""

import numpy as np
import pytest

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem
from isoflop.fitting.uncertainty.covariance import inverse_gram, standard_errors, wald_covariance
from isoflop.laws.power import PowerConstantLaw, PowerLaw


def line() -> tuple[Problem, np.ndarray, np.ndarray]:
    """A power law is a straight line in logs: log L = log A − alpha·log x."""
    x = np.geomspace(1e3, 1e9, 12)
    loss = 60 * x**-0.2 * np.exp(0.02 * np.random.default_rng(0).standard_normal(12))
    slope, intercept = np.polyfit(np.log(x), np.log(loss), 1)
    problem = Problem(PowerLaw("n_params"), {"n_params": x}, loss, Objective("squared"))
    return problem, np.array([np.exp(intercept), -slope]), np.log(x)


def test_a_power_law_has_the_covariance_of_a_straight_line() -> None:
    problem, theta, log_x = line()
    covariance = wald_covariance(problem, theta)
    residuals = np.log(problem.measured) - np.log(theta[0]) + theta[1] * log_x
    variance = residuals @ residuals / 10
    spread = np.sum((log_x - log_x.mean()) ** 2)
    relative = variance / spread / theta[1] ** 2  # alpha steps in its logarithm
    assert covariance[1, 1] == pytest.approx(relative, rel=1e-10)
    assert covariance[0, 0] == pytest.approx(variance * (1 / 12 + log_x.mean() ** 2 / spread))
    errors = standard_errors(problem.law, theta, covariance)
    assert errors == pytest.approx([theta[0] * covariance[0, 0] ** 0.5, (variance / spread) ** 0.5])


def test_weights_of_zero_drop_runs_and_their_degrees_of_freedom() -> None:
    problem, theta, _ = line()
    weights = np.ones(12)
    weights[[2, 7]] = 0
    kept = np.flatnonzero(weights)
    x = problem.variables["n_params"][kept]
    fewer = Problem(problem.law, {"n_params": x}, problem.measured[kept], problem.objective)
    assert wald_covariance(problem, theta, weights) == pytest.approx(wald_covariance(fewer, theta))


def test_a_free_parameter_has_infinite_variance_and_never_zero() -> None:
    twins = np.stack([np.ones(5), np.ones(5), np.arange(5.0)], axis=1)
    diagonal = np.diag(inverse_gram(twins))
    assert np.isinf(diagonal[:2]).all()
    assert diagonal[2] == pytest.approx(1 / np.sum((np.arange(5.0) - 2) ** 2))
    one_size = {"n_params": np.full(8, 1e9)}
    problem = Problem(PowerConstantLaw("n_params"), one_size, np.linspace(2, 2.1, 8))
    assert np.isinf(np.diag(wald_covariance(problem, np.array([1.7, 60.0, 0.3])))).all()


def test_no_degrees_of_freedom_is_no_covariance() -> None:
    problem = Problem(PowerLaw("n_params"), {"n_params": np.array([1e6, 1e7])}, np.array([3.0, 2]))
    assert np.isinf(np.diag(wald_covariance(problem, np.array([30.0, 0.2])))).all()
