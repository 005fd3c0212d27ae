"""How wrong a law is beyond noise, as far as its own runs tell: measured before extrapolating.

Three questions are asked of a fit, each against 200 tables simulated on the same design with
normal noise and the fitted law as the truth:

1. rolling: standing at smaller scales, were the larger runs missed by more than noise and
   parameters explain?
2. shape: do the residuals bend with the variables (squares, products, cubes of their logs)?
3. tails: has the noise more outliers than a normal one?

A law that passes all three is taken at its word. One that fails any is expected to fail further
out too, and its intervals for future runs grow (see `predict_loss`) by a drift that
grows with the root of the distance, and by what the fit moves when the smaller runs are dropped.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isoflop.fitting.foresight.rolling import (
    N_STARTS,
    SPARE_RUNS,
    Origin,
    log_scales,
    reach_beyond,
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
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.robust import NORMAL_MEDIAN, robust_scale
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.laws.law import AbstractLaw, Variables

N_SIMULATED = 200
SURPRISING = 0.01
"""Chance under which a law counts as wrong: three tests, so 3 % of right laws are suspected."""
ARRAYS = ("edge", "parameters", "later", "later_noise")
LATER_SHARE = 2 / 3
"""Share of the runs, largest last, that the later fit keeps."""
LEAST_DRIFT = 1.5
"""Drift of a wrong law per root e-fold, in standard deviations of its noise, even where rolling
origins show less; calibrated on the public tables of docs/reproductions/backtests.md."""


@dataclass(frozen=True)
class Misfit:
    """What a fit's own runs say about its law.

    Args:
        rolling: chance of as large misses from smaller scales, were the law right; 1 if no
            origin could be fitted.
        shape: chance of as bent residuals.
        tails: chance of as many outliers.
        noise: robust standard deviation of the residuals.
        drift: standard deviation of the law's error per root e-fold beyond the runs.
        edge: (k,) largest log of each scale (see `log_scales`).
        parameters: (p, p) covariance of the parameters by that noise, in solver coordinates.
        later: (p,) fit of the larger two thirds of the runs; empty if they are too few.
        later_noise: (p, p) covariance of `later` − fit by noise alone, in solver coordinates.
        n_origins: scales it was asked at.
    """

    rolling: float
    shape: float
    tails: float
    noise: float
    drift: float
    edge: Array
    parameters: Array = field(default_factory=lambda: np.empty((0, 0)))
    later: Array = field(default_factory=lambda: np.empty(0))
    later_noise: Array = field(default_factory=lambda: np.empty((0, 0)))
    n_origins: int = 0

    @property
    def suspected(self) -> bool:
        """Whether the law is wrong beyond noise, or its noise is not normal."""
        return min(self.rolling, self.shape, self.tails) <= SURPRISING

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "suspected": self.suspected,
            "chance_rolling": self.rolling,
            "chance_shape": self.shape,
            "chance_tails": self.tails,
            "noise": self.noise,
            "drift": self.drift,
            "n_origins": self.n_origins,
        }


def write_chance(share: float) -> str:
    """Write a chance to three digits; none of the simulated tables is not a chance of zero.

    >>> write_chance(0.0), write_chance(0.77)
    ('< .001', '0.770')
    """
    return "< .001" if share < 0.001 else f"{share:.3f}"


def misfit_arrays(misfit: Misfit) -> dict[str, list[float]]:
    """Return what `Misfit.to_dict` leaves out, for a file."""
    return {name: getattr(misfit, name).ravel().tolist() for name in ARRAYS}


def restore_misfit(record: Mapping[str, Any], arrays: Mapping[str, Any]) -> Misfit:
    """Read a misfit back from its JSON object and its arrays, bit for bit."""
    flat = {name: np.array(arrays[name], dtype=np.float64) for name in ARRAYS}
    for name in ("parameters", "later_noise"):
        width = math.isqrt(flat[name].size)
        flat[name] = flat[name].reshape(width, width)
    return Misfit(
        rolling=float(record["chance_rolling"]),
        shape=float(record["chance_shape"]),
        tails=float(record["chance_tails"]),
        noise=float(record["noise"]),
        drift=float(record["drift"]),
        n_origins=int(record["n_origins"]),
        **flat,
    )


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


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def expected_error(
    misfit: Misfit, law: AbstractLaw, theta: Array, variables: Variables, *, objective: Objective
) -> Array:
    """Standard deviation of a suspected law's error at some runs, noise and parameters apart.

    sqrt(drift²·reach + excess²), 0 where the law is not suspected. The excess is what the fit
    moves when the smallest third of its runs is dropped, less what noise alone would move it:
    excess² = (later fit − fit)² − Var(later fit) + Var(fit), at least 0 (Hausman 1978).

    Args:
        misfit: what the fit's runs said.
        law: the law.
        theta: (p,) the fit.
        variables: {name: (n,) float}.
        objective: what was minimised; errors are on its scale.

    Returns:
        (n,) float.
    """
    reach = reach_beyond(log_scales(variables), misfit.edge)
    if not misfit.suspected:
        return np.zeros(len(reach))
    variance = misfit.drift**2 * reach
    if len(misfit.later):
        there = Problem(law, variables, np.ones(len(reach)), objective)
        before, after = there.residuals(np.stack([theta, misfit.later]))
        slope = there.jacobian(theta[None])[0]
        by_noise = np.einsum("np,pq,nq->n", slope, misfit.later_noise, slope)
        variance = variance + np.maximum((after - before) ** 2 - by_noise, 0.0)
    return np.sqrt(variance)


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
