"""Covariance of fitted parameters from the Jacobian at the minimum.

In solver coordinates: the logarithm of every parameter on a log scale, the parameter itself on a
linear one, as in `Problem.jacobian` and `shift_in_solver`. Legend: n runs, p parameters.
"""

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.laws.law import AbstractLaw

FREE_DIRECTION = 1e-13
"""Singular value, relative to the largest of unit columns, below which a direction is free."""


def wald_covariance(problem: Problem, theta: Array, weights: Array | None = None) -> Array:
    """Covariance of a least-squares fit with independent errors of one size.

    s²·(JᵀWJ)⁻¹ with s² = Σ w·r²/(n − p), through the singular values of W^½·J with its columns
    scaled to unit length, which loses half the digits that JᵀWJ would.

    Args:
        problem: law, runs and objective; one table, so `measured` is (n,).
        theta: (p,) the fit.
        weights: (n,) relative precisions 1/variance of the runs; all alike when left out. A run
            of weight 0 does not count.

    Returns:
        (p, p) covariance in solver coordinates. Infinite on the diagonal, not zero, for every
        parameter that the runs leave free, and everywhere when n ≤ p.
    """
    residuals = problem.residuals(theta[None])[0]
    jacobian = problem.jacobian(theta[None])[0]
    weights = np.ones(len(residuals)) if weights is None else np.asarray(weights, dtype=np.float64)
    freedom = int(np.count_nonzero(weights)) - jacobian.shape[1]
    if freedom < 1:
        return np.diag(np.full(jacobian.shape[1], np.inf))
    variance = float(weights @ residuals**2) / freedom
    return variance * inverse_gram(jacobian * np.sqrt(weights)[:, None])


def inverse_gram(jacobian: Array) -> Array:
    """(JᵀJ)⁻¹ from the singular values of J with unit columns.

    Args:
        jacobian: (n, p) float, rows already multiplied by the square roots of their weights.

    Returns:
        (p, p); infinite on the diagonal for parameters that take part in a free direction.

    >>> inverse_gram(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
    array([[1.  , 0.  ],
           [0.  , 0.25]])
    """
    length = np.linalg.norm(jacobian, axis=0)
    if not np.isfinite(length).all():
        return np.diag(np.full(jacobian.shape[1], np.inf))
    unit = jacobian / np.where(length > 0, length, 1.0)
    _, singular, turned = np.linalg.svd(unit, full_matrices=False)
    held = singular > FREE_DIRECTION * singular[0]
    half = turned.T[:, held] / singular[held] / np.where(length > 0, length, 1.0)[:, None]
    covariance = half @ half.T
    free = (np.abs(turned[~held]) > 1e-6).any(axis=0) | (length == 0)
    covariance[free, free] = np.inf
    return covariance


def covariance_of_draws(law: AbstractLaw, draws: Array) -> Array:
    """Covariance of drawn parameters in solver coordinates, (p, p); NaN from fewer than two.

    Args:
        law: the law.
        draws: (K, p) parameters.
    """
    if len(draws) < 2:
        return np.full((draws.shape[1], draws.shape[1]), np.nan)
    return np.atleast_2d(np.cov(coordinates_of(law).enter(draws).T))


def standard_errors(law: AbstractLaw, theta: Array, covariance: Array) -> Array:
    """Standard errors in the parameters' own units, to first order.

    Args:
        law: the law.
        theta: (p,) the fit.
        covariance: (p, p) in solver coordinates.

    Returns:
        (p,): parameter × relative error where the solver steps in its logarithm.
    """
    return np.sqrt(np.diag(covariance)) * np.where(_is_log(law), np.abs(theta), 1.0)


def _is_log(law: AbstractLaw) -> NDArray[np.bool_]:
    return np.array([parameter.scale == "log" for parameter in law.parameters])
