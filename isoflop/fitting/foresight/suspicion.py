"""Three tests of whether a law is wrong beyond noise, each against tables simulated as if not.

All are of a fit's own runs, with the fit's first-order response to normal noise on its design.
"""

import numpy as np

from isoflop.fitting.foresight.rolling import Origin
from isoflop.fitting.solve.robust import NORMAL_MEDIAN
from isoflop.fitting.solve.solver import Array, Problem

WINSOR = 2.5
"""Standard deviations to which residuals are clipped before asking for their shape."""


def chance_rolling(
    problem: Problem, theta: Array, origins: tuple[Origin, ...], simulated: Array
) -> float:
    """Chance of rolling misses as large as an origin's, in the mean over origins.

    The statistic is the mean log of the origins' median |miss|/(noise·sqrt(1 + leverage²)).

    Args:
        problem: law, runs and objective.
        theta: (p,) the fit.
        origins: the smaller scales asked.
        simulated: (K, n_runs) standard normal noise.

    Returns:
        Share of the simulated tables with larger misses; 1 without origins that say anything:
        some noise left after the fit below, and predictions within floats.
    """
    jacobian = problem.jacobian(theta[None])[0]
    found, expected = [], []
    for origin in origins:
        unit = np.sqrt(1 + leverage(problem, origin) ** 2)
        miss = np.median(np.abs(origin.errors) / unit) / max(origin.noise, 1e-300)
        moves = propagate(jacobian, origin)
        below, above = simulated[:, origin.below], simulated[:, ~origin.below]
        hat = orthonormal(jacobian[origin.below])
        left = np.abs(below - (below @ hat) @ hat.T)
        noise = np.median(np.sort(left, axis=1)[:, len(theta) :], axis=1) / NORMAL_MEDIAN
        unit = np.sqrt(1 + np.linalg.norm(moves, axis=1) ** 2)
        misses = np.median(np.abs(above - below @ moves.T) / unit, axis=1)
        if not (np.isfinite(miss) and np.isfinite(misses).all() and (noise > 0).all()):
            continue  # a law on the edge of floats, or one that passes through every run below
        found.append(miss)
        expected.append(np.maximum(misses / noise, 1e-300))
    if not found:
        return 1.0
    score = float(np.mean(np.log(np.maximum(found, 1e-300))))
    return _chance(np.log(np.array(expected)).mean(axis=0), score)


def chance_shape(residuals: Array, simulated: Array, logs: Array, basis: Array) -> float:
    """Chance of residuals as bent in the squares, products and cubes of the variables' logs.

    Args:
        residuals: (n_runs,) of the fit.
        simulated: (K, n_runs) residuals of simulated fits.
        logs: (n_runs, k) logs of the variables.
        basis: (n_runs, p) orthonormal basis of the Jacobian: what the fit has already taken.
    """
    bends = _bends(logs, basis)
    return _chance(_bending(simulated, bends, basis), _bending(residuals[None], bends, basis)[0])


def chance_tails(residuals: Array, simulated: Array) -> float:
    """Chance of outliers as many and as far, by the standard deviation over the robust one."""
    return _chance(_heaviness(simulated), _heaviness(residuals[None])[0])


def _bends(logs: Array, basis: Array) -> Array:
    """Directions in which residuals of a right law have no reason to bend, (n_runs, k)."""
    unit = (logs - logs.mean(axis=0)) / (logs.std(axis=0) + 1e-300)
    first, second = np.triu_indices(unit.shape[1])
    columns = [np.ones((len(unit), 1)), unit[:, first] * unit[:, second], unit**3]
    raw = np.concatenate(columns, axis=1)
    return orthonormal(raw - basis @ (basis.T @ raw), tolerance=1e-4)


def _bending(residuals: Array, bends: Array, basis: Array) -> Array:
    """Explained over unexplained variance of the clipped residuals, (B,)."""
    scale = np.median(np.abs(residuals), axis=1, keepdims=True) / NORMAL_MEDIAN
    clipped = np.clip(residuals, -WINSOR * scale, WINSOR * scale)
    clipped = clipped - (clipped @ basis) @ basis.T
    explained = ((clipped @ bends) ** 2).sum(axis=1)
    return explained / ((clipped**2).sum(axis=1) - explained + 1e-300)


def _heaviness(residuals: Array) -> Array:
    """Standard deviation over the robust one, (B,)."""
    middle = np.median(np.abs(residuals), axis=1) / NORMAL_MEDIAN
    return np.sqrt((residuals**2).mean(axis=1)) / (middle + 1e-300)


def _chance(simulated: Array, found: float) -> float:
    return float(np.mean(simulated >= found))


def propagate(jacobian: Array, origin: Origin) -> Array:
    """Move of the predictions above by noise of the runs below, (n_above, n_below)."""
    jacobian = np.where(np.isfinite(jacobian).all(axis=0), jacobian, 0.0)
    below = jacobian[origin.below]
    length = _lengths(below) + 1e-300
    return (jacobian[~origin.below] / length) @ np.linalg.pinv(below / length, rcond=1e-8)


def orthonormal(columns: Array, *, tolerance: float = 1e-8) -> Array:
    """Orthonormal basis of what columns (n, k) span, near copies left out."""
    columns = columns[:, np.isfinite(columns).all(axis=0)]
    length = _lengths(columns)
    kept = length > tolerance * length.max(initial=0.0)
    left, singular, _ = np.linalg.svd(columns[:, kept] / length[kept], full_matrices=False)
    return left[:, singular > tolerance * singular[:1].sum()]


def _lengths(columns: Array) -> Array:
    """Euclidean length of every column, its squares kept within floats."""
    peak = np.maximum(np.abs(columns).max(axis=0, initial=0.0), 1e-300)
    return peak * np.linalg.norm(columns / peak, axis=0)


def leverage(problem: Problem, origin: Origin) -> Array:
    """Standard error of an origin's predictions in units of its noise, (n_above,)."""
    jacobian = problem.jacobian(origin.theta[None])[0]
    return np.linalg.norm(propagate(jacobian, origin), axis=1)
