"""How wrong a law is beyond noise, as far as its own runs tell: measured before extrapolating.

Three questions are asked of a fit, each against 200 tables simulated on the same design with
normal noise and the fitted law as the truth:

1. rolling: standing at smaller scales, were the larger runs missed by more than noise and
   parameters explain?
2. shape: do the residuals bend with the variables (squares, products, cubes of their logs)?
3. tails: has the noise more outliers than a normal one?
"""

import numpy as np

from isoflop.fitting.foresight.misfit import Misfit
from isoflop.fitting.foresight.rolling import (
    N_STARTS,
    SPARE_RUNS,
    Origin,
    log_scales,
    refit_subsets,
    roll_origins,
)
from isoflop.fitting.foresight.suspicion import (
    chance_rolling,
    chance_shape,
    chance_tails,
    leverage,
    orthonormal,
)
from isoflop.fitting.solve.robust import NORMAL_MEDIAN, robust_scale
from isoflop.fitting.solve.solver import Array, Problem

N_SIMULATED = 200
LATER_SHARE = 2 / 3
"""Share of the runs, largest last, that the later fit keeps."""
LEAST_DRIFT = 1.5
"""Drift of a wrong law per root e-fold, in standard deviations of its noise, even where rolling
origins show less; calibrated on the public tables of docs/reproductions/backtests.md."""


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def measure_misfit(
    problem: Problem, theta: Array, *, order: Array | None = None, seed: int = 0
) -> Misfit:
    """Ask a fit's own runs how wrong its law is.

    Args:
        problem: law, runs and objective, its threshold known.
        theta: (p,) the fit.
        order: (n_runs,) what origins roll by; compute (the product of the law's scales) if left
            out.
        seed: seed of refits and simulations.
    """
    rng = np.random.default_rng(seed)
    scales = log_scales(problem.variables)
    order = scales[:, -1] if order is None else order
    origins = roll_origins(problem, theta, order, rng=rng)
    later, later_noise = _fit_later(problem, theta, order, rng)
    residuals = problem.residuals(theta[None])[0]
    basis = orthonormal(problem.jacobian(theta[None])[0])
    noise = robust_scale(residuals, len(theta))
    simulated = rng.standard_normal((N_SIMULATED, len(residuals)))
    inside = simulated - (simulated @ basis) @ basis.T
    return Misfit(
        rolling=chance_rolling(problem, theta, origins, simulated),
        shape=chance_shape(residuals, inside, scales[:, :-1], basis),
        tails=chance_tails(residuals, inside),
        noise=noise,
        drift=_drift(problem, origins, least=LEAST_DRIFT * noise),
        edge=scales.max(axis=0),
        parameters=noise**2 * _unit_covariance(_weighted(problem, theta)),
        later=later,
        later_noise=later_noise * noise**2,
        n_origins=len(origins),
    )


def _fit_later(
    problem: Problem, theta: Array, order: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Fit of the larger runs, and the covariance of its distance to the fit for unit noise."""
    later = order >= np.quantile(order, 1 - LATER_SHARE)
    nothing = np.empty(0), np.empty((0, 0))
    if later.sum() < len(theta) + SPARE_RUNS or later.all():
        return nothing
    starts = problem.law.propose_starts(
        problem.variables, problem.measured, n_starts=N_STARTS, rng=rng
    )
    found = refit_subsets(problem, np.concatenate([theta[None], starts]), later[None])[0]
    if not np.isfinite(problem.residuals(found[None])).all():
        return nothing
    jacobian = problem.jacobian(theta[None])[0]
    return found, _unit_covariance(jacobian[later]) - _unit_covariance(jacobian)


def _weighted(problem: Problem, theta: Array) -> Array:
    """Jacobian whose rows count as much as the loss lets them."""
    weight = problem.objective.slope_over_residual(problem.residuals(theta[None])[0])
    if problem.objective.kind == "huber":
        weight = np.ones_like(weight)
    return problem.jacobian(theta[None])[0] * np.sqrt(weight)[:, None]


def _unit_covariance(jacobian: Array) -> Array:
    """(JᵀJ)⁺, columns scaled, directions that nothing holds left out: (p, p)."""
    length = np.linalg.norm(jacobian, axis=0) + 1e-300
    half = np.linalg.pinv(jacobian / length, rcond=1e-8) / length[:, None]
    return half @ half.T


def _drift(problem: Problem, origins: tuple[Origin, ...], *, least: float) -> float:
    """Drift that makes the median rolling miss what a normal one would be, by bisection.

    Misses are compared with sqrt(noise²·(1 + leverage²) + drift²·reach); each origin counts
    once, or less with fewer than five runs to predict.
    """
    if not origins:
        return least
    misses, explained, reach, weight = [], [], [], []
    for origin in origins:
        misses.append(np.abs(origin.errors))
        explained.append(origin.noise**2 * (1 + leverage(problem, origin) ** 2))
        reach.append(origin.reach)
        n_above = len(origin.errors)
        weight.append(np.full(n_above, min(1.0, n_above / 5) / n_above))
    parts = [np.concatenate(part) for part in (misses, explained, reach, weight)]
    low, high = 0.0, 1.0
    if _median_miss(*parts, drift=0.0) <= NORMAL_MEDIAN:
        return least
    for _ in range(40):
        middle = (low + high) / 2
        over = _median_miss(*parts, drift=middle) > NORMAL_MEDIAN
        low, high = (middle, high) if over else (low, middle)
    return max(high, least)


def _median_miss(miss: Array, explained: Array, reach: Array, weight: Array, drift: float) -> float:
    score = miss / np.sqrt(explained + drift**2 * reach + 1e-300)
    ranked = np.argsort(score)
    share = np.cumsum(weight[ranked]) / weight.sum()
    return float(score[ranked][min(np.searchsorted(share, 0.5), len(share) - 1)])
