"""Where a falling trend first passes below another: closed form, or a bracket and a root.

Legend: C FLOPs, D(C) = k·C^p tokens; L_C = A_C/C^alpha_C, L_D = A_D/D^alpha_D; r ratio of the two
at the point sought: L_C = r·L_D, one where they meet.
"""

import math

import numpy as np
from scipy.optimize import root_scalar

from isoflop.base.errors import RefusalError
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.power import PowerLaw
from isoflop.plan.contradiction.trend import Trend

FLOPS_SEARCHED = (1e12, 1e40)
"""FLOPs between which a crossing without a closed form is sought."""
POINTS = 300
FINE_POINTS = 3000
"""Grid for draws, interpolated: an error of C far below any interval's width."""
CHUNK = 100

Trio = tuple[Trend, Trend, Trend]
"""Compute law, data law, tokens rule."""


def solve_crossing(trio: Trio, *, ratio: float = 1.0) -> float:
    """C at which the compute law falls to `ratio` times the data law, FLOPs.

    Raises:
        RefusalError: it never does.
    """
    compute_law, data_law, tokens_rule = trio
    if _is_pure(trio):
        thetas = (compute_law.theta, data_law.theta, tokens_rule.theta)
        flops, approach = _solve_pure(thetas[0][None], thetas[1][None], thetas[2][None], ratio)
        if approach[0] <= 0:
            decay = data_law.theta[1] * tokens_rule.theta[1]
            raise RefusalError(
                f"loss falls as C^-{compute_law.theta[1]:.3g} with compute and C^-{decay:.3g} "
                "with the data it can read: the compute trend never falls below the data trend"
            )
        return float(flops[0])

    def gap(log_C: float) -> float:
        flops = math.exp(log_C)
        return compute_law.at(flops) - ratio * data_law.at(tokens_rule.at(flops))

    low, high = (math.log(end) for end in FLOPS_SEARCHED)
    grid = np.linspace(low, high, POINTS)
    above = np.array([gap(log_C) > 0 for log_C in grid])
    falls = np.flatnonzero(above[:-1] & ~above[1:])
    if not falls.size:
        does = "does not fall below" if above[-1] else "lies below"
        raise RefusalError(
            f"{compute_law.name} {does} {data_law.name} between {FLOPS_SEARCHED[0]:.0e} and "
            f"{FLOPS_SEARCHED[1]:.0e} FLOPs: they do not cross"
        )
    bracket = (float(grid[falls[0]]), float(grid[falls[0] + 1]))
    return math.exp(root_scalar(gap, bracket=bracket, xtol=1e-13).root)


def solve_draws(trio: Trio, thetas: tuple[Array, Array, Array], *, ratio: float = 1.0) -> Array:
    """C at which each draw crosses, (K,) FLOPs; infinite for those that never do.

    Args:
        trio: whose forms are used.
        thetas: (K, p) constants of each.
        ratio: as in `solve_crossing`.
    """
    if _is_pure(trio):
        flops, approach = _solve_pure(*thetas, ratio)
        return np.where(approach > 0, flops, np.inf)
    starts = range(0, len(thetas[0]), CHUNK)
    laws = tuple(trend.law for trend in trio)
    parts = [_scan(laws, tuple(t[s : s + CHUNK] for t in thetas), ratio) for s in starts]
    return np.concatenate(parts)


def _is_pure(trio: Trio) -> bool:
    compute_law, data_law, tokens_rule = (trend.law for trend in trio)
    falling = isinstance(compute_law, PowerLaw) and isinstance(data_law, PowerLaw)
    return falling and isinstance(tokens_rule, GrowthLaw)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _solve_pure(compute: Array, data: Array, tokens: Array, ratio: float) -> tuple[Array, Array]:
    """C* = [A_C·k^alpha_D/(r·A_D)]^(1/(alpha_C - alpha_D·p)), in logs, and the denominator."""
    (A_C, alpha_C), (A_D, alpha_D), (k, p) = compute.T, data.T, tokens.T
    approach = alpha_C - alpha_D * p
    log_C = (np.log(A_C / A_D) - np.log(ratio) + alpha_D * np.log(k)) / approach
    return np.exp(log_C), approach


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _scan(laws: tuple[AbstractLaw, ...], thetas: tuple[Array, ...], ratio: float) -> Array:
    """Interpolate the first fall below on a fine grid, (K,)."""
    compute_law, data_law, tokens_rule = laws
    log_C = np.log(np.geomspace(FLOPS_SEARCHED[0], FLOPS_SEARCHED[1], FINE_POINTS))
    flops = {"flops": np.exp(log_C)}
    promised = compute_law.predict(thetas[0], flops)
    tokens = tokens_rule.predict(thetas[2], flops)
    allowed = np.stack(
        [
            data_law.predict(theta, {data_law.variables[0]: row})
            for theta, row in zip(thetas[1], tokens, strict=True)
        ]
    )
    gap = promised - ratio * allowed
    falls = (gap[:, :-1] > 0) & (gap[:, 1:] <= 0)
    first = falls.argmax(axis=1)
    rows = np.arange(len(gap))
    before, after = gap[rows, first], gap[rows, first + 1]
    share = before / (before - after)
    crossed = np.exp(log_C[first] + share * (log_C[first + 1] - log_C[first]))
    return np.where(falls.any(axis=1), crossed, np.where(gap[:, -1] > 0, np.inf, 0.0))
