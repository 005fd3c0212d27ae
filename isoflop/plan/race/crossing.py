"""Where two loss curves cross: compute at which both recipes reach one loss, nearest to the runs.

Legend: C FLOPs, L loss.
"""

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.plan.race.loss_curve import LossCurve, root_between

ROUNDING = 1e-6
"""Relative difference of two losses up to which the curves are one."""


def cross_curves(a: LossCurve, b: LossCurve, level: float) -> tuple[Estimate | None, float]:
    """Compute at which the losses are equal, nearest to the runs; share of draws that cross."""
    difference = a.log_loss - b.log_loss
    point = _nearest_root(a, difference)
    if point is None or np.max(np.abs(difference)) < ROUNDING:
        return None, 0.0
    log_grid = np.log(a.grid)
    k = int(np.clip(np.searchsorted(log_grid, point) - 1, 0, len(log_grid) - 2))
    gap = lambda x: np.log(a.loss_at(float(np.exp(x))) / b.loss_at(float(np.exp(x))))  # noqa: E731
    exact = root_between(gap, float(log_grid[k]), float(log_grid[k + 1]))
    value = float(np.exp(exact))
    count = min(len(a.draws), len(b.draws))
    roots = [_nearest_root(a, a.draws[k] - b.draws[k], near=exact) for k in range(count)]
    found = np.array([root for root in roots if root is not None])
    share = len(found) / count if count else 1.0
    if share < level or len(found) < 2:
        return Estimate(value, level=level), share
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    low, high = min(low, exact), max(high, exact)
    return Estimate(value, float(np.exp(low)), float(np.exp(high)), level), share


def _nearest_root(a: LossCurve, gap: Array, *, near: float | None = None) -> float | None:
    """Log compute of the sign change nearest to the runs (or to a point), by interpolation."""
    log_grid = np.log(a.grid)
    turns = np.flatnonzero(np.sign(gap[:-1]) * np.sign(gap[1:]) < 0)
    if not len(turns):
        return None
    share = gap[turns] / (gap[turns] - gap[turns + 1])
    roots = log_grid[turns] + share * (log_grid[turns + 1] - log_grid[turns])
    middle = near if near is not None else np.log(a.highest)
    return float(roots[np.argmin(np.abs(roots - middle))])
