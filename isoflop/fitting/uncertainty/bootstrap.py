"""Resample runs, refit, and see how far the answer moves."""

import math
from dataclasses import replace

import numpy as np
from scipy.special import ndtri, stdtrit

from isoflop.base.errors import InputError
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.fitting.uncertainty.tangent import Tangent

DEFAULT_RESAMPLES = 1000
RESAMPLE_TOLERANCE = 1e-6
"""Gradient tolerance of a resample's refit: a millionth of its standard errors."""
FEW_RUNS_PER_PARAMETER = 3
"""With at most this many runs (or clusters) a parameter they are not resampled: few runs drawn
with replacement often repeat the same ones and show no spread at all."""


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
    weights = resample_weights(problem.n_runs, n_resamples=n_resamples, rng=rng, clusters=clusters)
    weights = weights[(weights > 0).sum(axis=1) > len(theta)]
    if not len(weights):
        return np.empty((0, len(theta)))
    starts = np.repeat(theta[None], len(weights), axis=0)
    solution = minimise(problem, starts, weights, tolerance=RESAMPLE_TOLERANCE)
    return solution.theta[solution.converged]


def refit_wild(tangent: Tangent, *, n_resamples: int, rng: np.random.Generator) -> Array:
    """Refit the same runs with the signs of their residuals drawn at random.

    Residuals over 1 − leverage (HC3), times ±1 (Rademacher; Davidson & Flachaire 2008): keeps
    every design point and whatever size the noise has there.

    Args:
        tangent: the fit.
        n_resamples: how many resamples.
        rng: source of randomness.

    Returns:
        (≤ n_resamples, p) refitted parameters.
    """
    problem = tangent.problem
    noise = tangent.residuals / tangent.root_weights / (1 - tangent.leverage)
    noise = noise * rng.choice([-1.0, 1.0], size=(n_resamples, len(noise)))
    fitted = problem.law.predict(tangent.theta, problem.variables)
    measured = problem.objective.shift(fitted, noise)
    starts = np.repeat(tangent.theta[None], n_resamples, axis=0)
    posed = replace(problem, measured=measured)
    weights = tangent.root_weights**2
    solution = minimise(posed, starts, weights, tolerance=RESAMPLE_TOLERANCE)
    return solution.theta[solution.converged]


def few_units(n_units: int, n_parameters: int) -> bool:
    """Whether runs (or clusters) are too few to be drawn with replacement."""
    return n_units <= FEW_RUNS_PER_PARAMETER * n_parameters


def student_over_normal(freedom: int, level: float) -> float:
    """Quantile of Student's t over the normal one: by how much too narrow normal tails are."""
    tail = (1 + level) / 2
    return float(stdtrit(max(1, freedom), tail) / ndtri(tail))


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
    narrow = math.sqrt(max(n_units, freedom) / freedom)
    return narrow * student_over_normal(freedom, level)
