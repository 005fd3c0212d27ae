"""Rolling origins: refit the smaller runs alone and see how far off the larger ones are.

What a table can tell about a law's foresight before anyone trains a larger run: pretend to
stand at several smaller scales, and predict what is already known.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.objective import HUBER_DELTA, Objective
from isoflop.fitting.solve.robust import robust_scale
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.fitting.uncertainty.bootstrap import RESAMPLE_TOLERANCE
from isoflop.laws.law import Variables

SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the runs, smallest first, that the origins are fitted to."""
SPARE_RUNS = 3
"""Runs beyond the parameters that an origin needs."""
N_STARTS = 3
"""Random starts of an origin's refit, besides the fit of all runs."""
SCALING = (
    "n_params",
    "n_params_non_embedding",
    "n_params_with_head",
    "n_tokens",
    "flops",
    "steps",
)
"""Variables that grow with scale; any other, such as distinct tokens, is no distance."""


@dataclass(frozen=True)
class Origin:
    """A scale one pretends to stand at.

    Args:
        below: (n_runs,) the runs fitted.
        theta: (p,) their fit.
        errors: (n_above,) predicted − measured of the other runs, on the residuals' scale.
        reach: (n_above,) e-folds by which they lie beyond the fitted runs.
        noise: robust standard deviation of the fitted runs' residuals.
    """

    below: NDArray[np.bool_]
    theta: Array
    errors: Array
    reach: Array
    noise: float


def log_scales(variables: Variables) -> Array:
    """Logs of what grows with scale, and of its product, which for N and D is the compute.

    Args:
        variables: {name: (n,) float}.

    Returns:
        (n, k + 1), the product last.
    """
    names = [name for name in SCALING if name in variables] or list(variables)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.stack([np.log(np.abs(variables[name])) for name in names], axis=1)
    logs = np.where(np.isfinite(logs), logs, 0.0)
    return np.concatenate([logs, logs.sum(axis=1, keepdims=True)], axis=1)


def reach_beyond(scales: Array, edge: Array) -> Array:
    """E-folds by which runs (n, k) exceed the largest run (k,) in whichever scale it is most."""
    return np.maximum((scales - edge).max(axis=1), 0.0)


def roll_origins(
    problem: Problem, theta: Array, order: Array, *, rng: np.random.Generator
) -> tuple[Origin, ...]:
    """Refit the runs below each of several scales.

    Args:
        problem: law, runs and objective, its threshold known.
        theta: (p,) the fit of all runs.
        order: (n_runs,) what is rolled by, such as compute.
        rng: source of the refits' starts.
    """
    masks = _masks(order, len(theta))
    if not masks:
        return ()
    starts = problem.law.propose_starts(
        problem.variables, problem.measured, n_starts=N_STARTS, rng=rng
    )
    fitted = refit_subsets(problem, np.concatenate([theta[None], starts]), np.array(masks))
    scales = log_scales(problem.variables)
    residuals = problem.residuals(fitted)
    return tuple(
        Origin(
            below=below,
            theta=own,
            errors=off[~below],
            reach=reach_beyond(scales[~below], scales[below].max(axis=0)),
            noise=robust_scale(off[below], len(theta)),
        )
        for below, own, off in zip(masks, fitted, residuals, strict=True)
        if np.isfinite(off).all()
    )


def refit_subsets(problem: Problem, starts: Array, subsets: NDArray[np.bool_]) -> Array:
    """Fit subsets of the runs, each from every start.

    Args:
        problem: law, runs and objective, its threshold known.
        starts: (S, p) parameters, the likeliest first.
        subsets: (B, n_runs) the runs of each fit.

    Returns:
        (B, p) best parameters of each subset.
    """
    if problem.objective.kind == "robust":
        # Huber's loss has one basin, and says where the robust one may be entered, as do the
        # starts themselves, the likeliest of which has often seen more runs.
        huber = Objective("huber", _huber_delta(problem), problem.objective.scale)
        led = _minimise_subsets(replace(problem, objective=huber), starts, subsets)[0]
        starts = np.concatenate([led, np.repeat(starts[None], len(subsets), axis=0)], axis=1)
    theta, value = _minimise_subsets(problem, starts, subsets)
    return theta[np.arange(len(subsets)), value.argmin(axis=1)]


def _minimise_subsets(
    problem: Problem, starts: Array, subsets: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Minimise every subset from starts (S, p) or (B, S, p): (B, S, p) and objectives (B, S)."""
    n_starts, width = starts.shape[-2:]
    theta = np.broadcast_to(starts, (len(subsets), n_starts, width)).reshape(-1, width)
    weights = np.repeat(subsets.astype(np.float64), n_starts, axis=0)
    found = minimise(problem, theta, weights, tolerance=RESAMPLE_TOLERANCE)
    value = np.where(np.isfinite(found.objective), found.objective, np.inf)
    return found.theta.reshape(-1, n_starts, width), value.reshape(-1, n_starts)


def _huber_delta(problem: Problem) -> float:
    if problem.objective.scale != "linear":
        return HUBER_DELTA
    return HUBER_DELTA * max(float(np.std(problem.measured)), 1e-300)


def _masks(order: Array, n_parameters: int) -> list[NDArray[np.bool_]]:
    """Runs below each origin, distinct, with enough on both sides."""
    ranked = np.sort(order)
    edges = {float(ranked[min(len(ranked) - 1, round(share * len(ranked)))]) for share in SHARES}
    masks = [order < edge for edge in sorted(edges)]
    return [
        below
        for below in masks
        if below.sum() >= n_parameters + SPARE_RUNS
        and (~below).sum() >= 2
        and len(np.unique(order[below])) > 2
    ]
