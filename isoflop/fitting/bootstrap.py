"""Resample runs, refit, and see how far the answer moves."""

import math

import numpy as np
from scipy.special import ndtri, stdtrit

from isoflop.base.errors import InputError
from isoflop.fitting.solver import Array, Problem, minimise, shift_in_solver

DEFAULT_RESAMPLES = 1000
RESAMPLE_TOLERANCE = 1e-6
"""Gradient tolerance of a resample's refit: a millionth of its standard errors."""
FEW_RUNS_PER_PARAMETER = 3
"""With at most this many runs (or clusters) a parameter, noise is simulated instead of resampling
runs: few runs drawn with replacement often repeat the same ones and show no spread at all."""


def resample_weights(
    n_runs: int,
    *,
    n_resamples: int,
    rng: np.random.Generator,
    clusters: list[str] | None = None,
) -> Array:
    """Draw bootstrap resamples as multiplicities of the runs.

    Args:
        n_runs: runs in the table.
        n_resamples: how many resamples.
        rng: source of randomness.
        clusters: (n_runs,) label of each run; whole clusters are drawn together, which is what
            runs that share a model size or a recipe need.

    Returns:
        (n_resamples, n_runs) float multiplicities.

    >>> weights = resample_weights(5, n_resamples=3, rng=np.random.default_rng(0))
    >>> weights.sum(axis=1)
    array([5., 5., 5.])
    """
    if clusters is None:
        even = np.full(n_runs, 1 / n_runs)
        return rng.multinomial(n_runs, even, size=n_resamples).astype(np.float64)
    labels, member = np.unique(np.array(clusters), return_inverse=True)
    if len(labels) < 2:
        raise InputError("resampling by cluster needs two clusters or more, found one")
    even = np.full(len(labels), 1 / len(labels))
    return rng.multinomial(len(labels), even, size=n_resamples)[:, member].astype(np.float64)


def refit_resamples(
    problem: Problem,
    theta: Array,
    *,
    n_resamples: int,
    rng: np.random.Generator,
    clusters: list[str] | None = None,
) -> Array:
    """Refit every resample, starting from the fit of all runs.

    Args:
        problem: law, runs and objective.
        theta: (p,) the fit of all runs.
        n_resamples: how many resamples.
        rng: source of randomness.
        clusters: (n_runs,) labels of runs to be resampled together, if any.

    Returns:
        (≤ n_resamples, p) refitted parameters; resamples whose refit did not converge, such as
        those that drew too few distinct runs, are left out.
    """
    if n_resamples < 1:
        return np.empty((0, len(theta)))
    weights = resample_weights(
        problem.n_runs, n_resamples=n_resamples, rng=rng, clusters=clusters
    )
    weights = weights[(weights > 0).sum(axis=1) > len(theta)]
    if not len(weights):
        return np.empty((0, len(theta)))
    starts = np.repeat(theta[None], len(weights), axis=0)
    solution = minimise(problem, starts, weights, tolerance=RESAMPLE_TOLERANCE)
    return solution.theta[solution.converged]


def simulate_noise(
    problem: Problem,
    theta: Array,
    *,
    n_resamples: int,
    rng: np.random.Generator,
    clusters: list[str] | None = None,
) -> Array:
    """Draw parameters by the fit's first-order response to simulated noise.

    Independent normal noise of the residuals' size for every run: with the small-sample factor
    these are Student-t intervals. Clustered runs keep their residuals, and each cluster's are
    multiplied by one standard normal number.

    Args:
        problem: law, runs and objective.
        theta: (p,) the fit of all runs.
        n_resamples: how many draws.
        rng: source of randomness.
        clusters: (n_runs,) labels of runs that share their noise, if any.

    Returns:
        (n_resamples, p) parameters.
    """
    residuals = problem.residuals(theta[None])[0]
    response = -np.linalg.pinv(problem.jacobian(theta[None])[0]).T
    if clusters is None:
        size = np.sqrt(np.mean(residuals**2))
        noise = size * rng.standard_normal((n_resamples, len(residuals)))
    else:
        units, member = np.unique(np.array(clusters), return_inverse=True)
        noise = residuals * rng.standard_normal((n_resamples, len(units)))[:, member]
    return shift_in_solver(problem.law, theta, noise @ response)


def few_units(n_units: int, n_parameters: int) -> bool:
    """Whether runs (or clusters) are too few to be drawn with replacement."""
    return n_units <= FEW_RUNS_PER_PARAMETER * n_parameters


def small_sample_stretch(n_units: int, n_parameters: int, level: float) -> float:
    """Factor by which a case bootstrap's percentiles are too narrow.

    sqrt(n/(n − p)) for the residual degrees of freedom, times Student's t over the normal
    quantile. One for large n.

    Args:
        n_units: runs, or clusters when those are resampled.
        n_parameters: parameters fitted.
        level: confidence level of the interval.

    >>> round(small_sample_stretch(12, 3, 0.9), 3), round(small_sample_stretch(10**6, 3, 0.9), 3)
    (1.287, 1.0)
    """
    freedom = max(1, n_units - n_parameters)
    tail = (1 + level) / 2
    return float(math.sqrt(max(n_units, freedom) / freedom) * stdtrit(freedom, tail) / ndtri(tail))
