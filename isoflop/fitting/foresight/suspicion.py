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
        Share of the simulated tables with larger misses; 1 without origins.
    """
    if not origins:
        return 1.0
    jacobian = problem.jacobian(theta[None])[0]
    found, expected = [], []
    for origin in origins:
        unit = np.sqrt(1 + leverage(problem, origin) ** 2)
        found.append(np.median(np.abs(origin.errors) / unit) / max(origin.noise, 1e-300))
        moves = propagate(jacobian, origin)
        below, above = simulated[:, origin.below], simulated[:, ~origin.below]
        hat = orthonormal(jacobian[origin.below])
        left = np.abs(below - (below @ hat) @ hat.T)
        noise = np.median(np.sort(left, axis=1)[:, len(theta) :], axis=1) / NORMAL_MEDIAN
        unit = np.sqrt(1 + np.linalg.norm(moves, axis=1) ** 2)
        expected.append(np.median(np.abs(above - below @ moves.T) / unit, axis=1) / noise)
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
    below = jacobian[origin.below]
    length = np.linalg.norm(below, axis=0) + 1e-300
    return (jacobian[~origin.below] / length) @ np.linalg.pinv(below / length, rcond=1e-8)


def orthonormal(columns: Array, *, tolerance: float = 1e-8) -> Array:
    """Orthonormal basis of what columns (n, k) span, near copies left out."""
    length = np.linalg.norm(columns, axis=0)
    unit = columns[:, length > tolerance * length.max(initial=0.0)]
    left, singular, _ = np.linalg.svd(unit / np.linalg.norm(unit, axis=0), full_matrices=False)
    return left[:, singular > tolerance * singular[:1].sum()]


def leverage(problem: Problem, origin: Origin) -> Array:
    """Standard error of an origin's predictions in units of its noise, (n_above,)."""
    jacobian = problem.jacobian(origin.theta[None])[0]
    return np.linalg.norm(propagate(jacobian, origin), axis=1)
