"""The law near a fit: its tangent plane, what the noise looks like in it, and the way back.

Noise moves a fit, to first order, within the plane that touches the law's predictions at the
fit. There the distribution of the fit is as plain as in linear regression; what bends it is the
way parameters label the plane (Bates & Watts 1988, Nonlinear Regression Analysis, section 7:
parameter-effects curvature). So intervals are made in the plane, and carried back to parameters
by refitting the law to each point of it.

Legend: n runs, p parameters, K draws; J (n, p) derivative of the residuals r = log predicted −
log measured by solver coordinates; psi = loss'(r).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.fitting.solve.robust import robust_scale
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.fitting.uncertainty.covariance import inverse_gram

SMOOTHING = 1.15
"""Half-width, in robust standard deviations · n^-1/5, over which psi's slope is measured: a
Huber loss with a tiny delta has too few runs in its quadratic zone to count them."""
SLIGHT = 1e-3
"""Standard errors by which a carried draw may miss."""
MAX_CORRECTIONS = 8
LONGEST = 3.0
"""Longest correction of one coordinate: a factor of twenty."""
ROUNDING = 1e-13
"""Residuals below this are rounding, not noise."""


@dataclass(frozen=True)
class Tangent:
    """A fit seen in the plane that touches it.

    Args:
        problem: law, runs and objective.
        theta: (p,) the fit.
        residuals: (n,) predicted − measured, times the root weights.
        noise: (n,) pseudo-residuals psi/E[psi′]: where the fit is, to first order, the least
            squares fit of these. The residuals themselves when squares are minimised.
        slope: E[psi′], the loss's mean curvature; 1 when squares are minimised.
        jacobian: (n, p).
        gram_inverse: (p, p), (JᵀJ)⁻¹.
        leverage: (n,) share of each run's noise that the fit takes over.
        root_weights: (n,) square roots of the runs' weights, in residuals and jacobian already.
    """

    problem: Problem
    theta: Array
    residuals: Array
    noise: Array
    slope: float
    jacobian: Array
    gram_inverse: Array
    leverage: Array
    root_weights: Array

    @property
    def freedom(self) -> int:
        """Degrees of freedom, n − p."""
        return max(1, self.jacobian.shape[0] - self.jacobian.shape[1])

    @property
    def variance(self) -> float:
        """Noise variance of a run, unbiased under least squares."""
        return float(self.noise @ self.noise) / self.freedom


def touch(problem: Problem, theta: Array, weights: Array | None = None) -> Tangent:
    """Linearise a problem at its fit.

    Args:
        problem: law, runs and objective, whose threshold is known.
        theta: (p,) the fit.
        weights: (n,) weights of the runs in least squares; all alike when left out.
    """
    root = np.ones(problem.n_runs) if weights is None else np.sqrt(weights)
    residuals = problem.residuals(theta[None])[0] * root
    jacobian = problem.jacobian(theta[None])[0] * root[:, None]
    slope = mean_slope(problem.objective, residuals, len(theta))
    psi = problem.objective.slope_over_residual(residuals) * residuals
    gram_inverse = inverse_gram(jacobian)
    leverage = np.einsum("np,pq,nq->n", jacobian, finite_part(gram_inverse), jacobian)
    return Tangent(
        problem,
        theta,
        residuals,
        psi / slope * small_sample_factor(problem.objective, residuals, slope, len(theta)),
        slope,
        jacobian,
        gram_inverse,
        np.clip(leverage, 0.0, 1 - 1e-6),
        root,
    )


def mean_slope(objective: Objective, residuals: Array, n_parameters: int) -> float:
    """Mean of the loss's second derivative, smoothed, without the p runs the fit bends to.

    Huber's sandwich needs E[psi′] (Huber 1981, Robust Statistics, section 7.6). Counting the
    runs within delta is right for a delta as large as the noise. For Hoffmann's 1e-3 the count
    is small, and too high by the p runs that a fit of absolute residuals passes through.

    Args:
        objective: loss function.
        residuals: (n,).
        n_parameters: p.

    >>> mean_slope(Objective("squared"), np.array([-0.01, 0.0, 0.02]), 1)
    1.0
    """
    width = slope_width(residuals, n_parameters)
    if objective.threshold == np.inf or width <= 0:
        return 1.0
    slopes = secant_slope(objective, residuals, width)
    top = float(secant_slope(objective, np.zeros(1), width)[0])
    spare = max(1, len(residuals) - n_parameters)
    mean = (slopes.sum() - n_parameters * top) / spare
    return float(max(mean, 0.05 * top))


def small_sample_factor(
    objective: Objective, residuals: Array, slope: float, n_parameters: int
) -> float:
    """Factor on the noise for the p parameters that a redescending loss's slopes follow.

    1 + p/n·var(psi′)/E[psi′]² (Huber 1981, section 7.6). Huber's own loss needs none: there
    `mean_slope` has taken the p runs off.

    Args:
        objective: loss function.
        residuals: (n,).
        slope: E[psi′].
        n_parameters: p.
    """
    if objective.kind != "robust":
        return 1.0
    unevenness = float(np.var(objective.curvature(residuals))) / slope**2
    return 1.0 + n_parameters / len(residuals) * unevenness


def slope_width(residuals: Array, n_parameters: int) -> float:
    """Half-width over which psi's slope is measured; 0 where there is no noise."""
    width = SMOOTHING * len(residuals) ** -0.2 * robust_scale(residuals, n_parameters)
    return width if width > ROUNDING else 0.0


def secant_slope(objective: Objective, residuals: Array, width: float) -> Array:
    """Slope of psi over ±width around each residual, same shape."""
    up, down = residuals + width, residuals - width
    rise = objective.slope_over_residual(up) * up - objective.slope_over_residual(down) * down
    return rise / (2 * width)


def carry(tangent: Tangent, steps: Array) -> Array:
    """Carry steps in the tangent plane back to parameters: refit the law to each point.

    Args:
        tangent: the fit.
        steps: (K, p) in solver coordinates, to first order.

    Returns:
        (K, p) parameters whose predictions are nearest to the plane's points, within the law's
        bounds; to first order theta + step.
    """
    law = tangent.problem.law
    space = coordinates_of(law)
    start = space.enter(tangent.theta)
    unit = np.sqrt(np.diag(finite_part(tangent.gram_inverse))) + 1e-300
    size = np.sqrt(tangent.variance) + 1e-300
    inverse = np.linalg.pinv(tangent.jacobian * unit) * unit[:, None]
    targets = steps @ tangent.jacobian.T
    current = np.array(steps, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        moving = np.arange(len(steps))
        for _ in range(MAX_CORRECTIONS):
            moved = _residuals(tangent, space.leave(start + current[moving])) - targets[moving]
            step = moved @ inverse.T
            current[moving] -= np.clip(np.nan_to_num(step, nan=LONGEST), -LONGEST, LONGEST)
            moving = moving[(np.abs(step) > SLIGHT * size * unit).any(axis=1) | ~_all_finite(step)]
            if not moving.size:
                break
    phi = start + current
    lost = ~_all_finite(phi) | (phi < space.floor).any(axis=1) | (phi > space.ceiling).any(axis=1)
    lost[moving] = True
    theta = space.leave(np.clip(phi, space.floor, space.ceiling))
    if lost.any():
        theta[lost] = _refit(tangent, targets[lost])
    return theta


def _refit(tangent: Tangent, targets: Array) -> Array:
    """Fit the law within its bounds to points of the plane, (B, n) beside the fit's own."""
    problem = tangent.problem
    scale = problem.objective.scale
    targets = targets / tangent.root_weights
    fitted = problem.law.predict(tangent.theta, problem.variables)
    measured = problem.objective.shift(fitted, targets)
    posed = replace(problem, measured=measured, objective=Objective("squared", scale=scale))
    starts = np.repeat(tangent.theta[None], len(targets), axis=0)
    return minimise(posed, starts, tangent.root_weights**2, tolerance=1e-6).theta


def _residuals(tangent: Tangent, theta: Array) -> Array:
    """How far the law's predictions have moved from the fit's, (K, n)."""
    return tangent.problem.residuals(theta) * tangent.root_weights - tangent.residuals


def finite_part(matrix: Array) -> Array:
    """Zero what is infinite: directions that the runs leave free."""
    return np.where(np.isfinite(matrix), matrix, 0.0)


def _all_finite(rows: Array) -> NDArray[np.bool_]:
    return np.all(np.isfinite(rows), axis=1)
