"""The loss a recipe reaches with a compute, with its draws: what a race compares.

Legend: C FLOPs, N parameters, D tokens, L loss; for a joint law L(C) is the loss of the optimum.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from isoflop.base.errors import RefusalError
from isoflop.fitting.fit import Fit
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.optimum import SIX_N, optima_of_draws, optimal_params
from isoflop.runs.cost import TokenCost

REACH = 1e4
"""Factor beyond the runs, on both sides, up to which a curve is inverted."""
PER_DECADE = 8
ROUNDING = 1e-9
"""Relative difference of two losses that is none."""
SEARCHED_DRAWS = 200
"""Draws of a law whose optimum must be searched for."""


@dataclass(frozen=True)
class LossCurve:
    """Loss against compute of one fit.

    Args:
        fit: the fit.
        variable: what compute is called: `flops`, or the law's only variable.
        lowest: smallest compute of the runs.
        highest: largest compute of the runs.
        grid: (m,) computes, log-spaced.
        log_loss: (m,) log loss of the fit.
        draws: (K, m) log loss of its draws, small-sample stretch included; decreasing.
    """

    fit: Fit
    variable: str
    lowest: float
    highest: float
    grid: Array
    log_loss: Array
    draws: Array

    def loss_at(self, compute: float) -> float:
        """Loss of the fit, exactly."""
        return float(np.exp(_log_loss(self.fit, np.array([compute]))[0]))

    def compute_for(self, loss: float) -> float:
        """Compute at which the fit reaches a loss; infinite if it never does."""

        def excess(log_compute: float) -> float:
            return self.loss_at(float(np.exp(log_compute))) - loss

        ends = float(np.log(self.grid[0])), float(np.log(self.grid[-1]))
        if excess(ends[0]) <= 0:
            return float(self.grid[0])
        if not excess(ends[1]) <= ROUNDING * loss:
            return float("inf")
        return float(np.exp(root_between(excess, *ends)))

    def draws_at(self, compute: float) -> Array:
        """Log loss of every draw, (K,)."""
        return np.array(
            [np.interp(np.log(compute), np.log(self.grid), draw) for draw in self.draws]
        )

    def draws_for(self, log_loss: Array) -> Array:
        """Log compute at which each draw reaches its own log loss, (≤ K,); infinite if never."""
        log_grid = np.log(self.grid)
        return np.array(
            [
                np.inf if value < draw[-1] else np.interp(-value, -draw, log_grid)
                for value, draw in zip(log_loss, self.draws, strict=False)
            ]
        )


def loss_curve(fit: Fit, grid: tuple[float, float] | None = None) -> LossCurve:
    """Turn a fit into a loss against compute.

    Args:
        fit: a law of n_params and n_tokens, or of one variable.
        grid: lowest and highest compute; ten thousand times beyond the runs by default.

    Raises:
        RefusalError: the runs do not determine the law.
    """
    if not fit.determined:
        raise RefusalError(f"{fit.data.source}: no curve from this fit: {fit.outcome.value}")
    variable = compute_name(fit.law)
    low, high = fit.data.ranges[variable]
    ends = grid or (low / REACH, high * REACH)
    computes = np.geomspace(*ends, int(PER_DECADE * np.log10(ends[1] / ends[0])) + 2)
    centre = _log_loss(fit, computes)
    spread = (_log_loss_of_draws(fit, computes) - centre) * fit.stretch
    draws = np.minimum.accumulate(centre + spread, axis=1)  # more compute never hurts
    return LossCurve(fit, variable, low, high, computes, centre, draws)


def root_between(gap: Callable[[float], float], low: float, high: float) -> float:
    """Where a difference changes sign between two points; where it does not, the end nearest zero.

    Rounding may give both ends one sign where the difference is zero but for its last digits.

    Args:
        gap: the difference.
        low: one end.
        high: the other.

    Returns:
        The root, an end, or infinity where neither end has a value.

    >>> root_between(lambda x: x - 1, 0.0, 3.0), root_between(lambda x: x + 1e-16, 0.0, 3.0)
    (1.0, 0.0)
    """
    sizes = [(abs(value), end) for end in (low, high) if math.isfinite(value := gap(end))]
    if len(sizes) == 2 and gap(low) * gap(high) < 0:
        return float(brentq(gap, low, high, xtol=1e-12))  # pyright: ignore
    return min(sizes)[1] if sizes else math.inf


def compute_name(law: AbstractLaw) -> str:
    """Return what a law spends: `flops` under a law of n_params and n_tokens, else its variable."""
    return "flops" if _is_joint(law) else law.variables[0]


def _is_joint(law: AbstractLaw) -> bool:
    return set(law.variables) == {"n_params", "n_tokens"}


def _log_loss(fit: Fit, computes: Array) -> Array:
    if not _is_joint(fit.law):
        return np.log(fit.law.predict(fit.theta, {fit.law.variables[0]: computes}))
    cost = TokenCost(fit.data.cost_per_root)
    return np.log([optimal_params(fit.law, fit.theta, c, cost=cost)[1] for c in computes])


def _log_loss_of_draws(fit: Fit, computes: Array) -> Array:
    """(K, m); fewer draws where every optimum has to be searched for."""
    if not _is_joint(fit.law):
        return np.log(fit.law.predict(fit.draws, {fit.law.variables[0]: computes}))
    cost = TokenCost(fit.data.cost_per_root)
    closed = "G" in fit.law.derive(fit.theta) and cost == SIX_N
    draws = fit.draws if closed else fit.draws[:SEARCHED_DRAWS]
    if not len(draws):
        return np.empty((0, len(computes)))
    columns = [optima_of_draws(fit.law, draws, float(c), cost)[1] for c in computes]
    return np.log(np.stack(columns, axis=1))
