"""Where a law puts the optimum of a budget: N*, the loss there, and the exponent between budgets.

Legend: C FLOPs, N parameters, D tokens, with C = 6ND unless a cost says otherwise; L loss;
a, b exponents of N* ∝ C^a, D* ∝ C^b; G Hoffmann's constant, N* = G·(C/6)^a.
"""

import numpy as np
from scipy.optimize import brent

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate, interval_from_draws, shorten
from isoflop.fitting.fit import Fit
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.cost import TokenCost

SEARCH_N = (1.0, 1e20)
"""Sizes searched when the optimum has no closed form."""
SEARCH_POINTS = 2001
SIX_N = TokenCost()
"""C = 6ND."""


def optimal_params(
    law: AbstractLaw, theta: Array, flops: float, *, cost: TokenCost = SIX_N
) -> tuple[float, float]:
    """N* and the loss there, closed form where there is one, else by Brent's method.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    >>> f"{optimal_params(ChinchillaLaw(), theta, 5.76e23)[0]:.1e}"
    '7.2e+10'
    """
    derived = law.derive(theta)
    if "G" in derived and cost == SIX_N:
        n_params = float(derived["G"] * (flops / 6) ** derived["a"])
        if not SEARCH_N[0] <= n_params <= SEARCH_N[1]:
            raise RefusalError(
                f"{law.name} puts the optimum of {shorten(flops)} FLOPs at {n_params:.2g} "
                "parameters, which no model has; give the budget in FLOPs"
            )
        return n_params, float(_loss_on_budget(law, theta, np.array([n_params]), flops, cost)[0])
    grid = np.geomspace(*SEARCH_N, SEARCH_POINTS)
    losses = _loss_on_budget(law, theta, grid, flops, cost)
    best = int(np.argmin(losses))
    if best in (0, len(grid) - 1):
        raise RefusalError(
            f"{law.name} has no optimum at {shorten(flops)} FLOPs: its loss keeps falling to the "
            "edge of the sizes searched"
        )
    log_n, loss, *_ = brent(
        lambda log_n: float(_loss_on_budget(law, theta, np.exp(np.array([log_n])), flops, cost)[0]),
        brack=tuple(np.log(grid[best - 1 : best + 2])),
        tol=1e-12,
        full_output=True,
    )
    return float(np.exp(log_n)), float(loss)


def optimum_exponent(fit: Fit, flops: tuple[float, float]) -> Estimate:
    """Exponent a of N* ∝ C^a under a joint law, between two budgets.

    The slope of log N* between the budgets: what an IsoFLOP study over that range would measure.
    It differs from the law's asymptotic a where tokens do not cost 6N.

    Args:
        fit: a law of n_params and n_tokens.
        flops: two budgets, FLOPs.
    """
    cost = TokenCost(fit.data.cost_per_root)
    ends = [optimal_params(fit.law, fit.theta, c, cost=cost)[0] for c in flops]
    many = [optima_of_draws(fit.law, fit.draws, c, cost)[0] for c in flops]
    span = np.log(flops[1] / flops[0])
    value = float(np.log(ends[1] / ends[0]) / span)
    draws = np.log(many[1] / many[0]) / span
    return interval_from_draws(value, draws, level=fit.level, stretch=fit.stretch)


def _loss_on_budget(
    law: AbstractLaw, theta: Array, n_params: Array, flops: float, cost: TokenCost
) -> Array:
    n_tokens = flops / cost.flops_per_token(n_params)
    return law.predict(theta, {"n_params": n_params, "n_tokens": n_tokens})


def optima_of_draws(
    law: AbstractLaw, draws: Array, flops: float, cost: TokenCost
) -> tuple[Array, Array]:
    """N* and loss for each draw, (K,) each; a parabola refines the best grid point."""
    if not len(draws):
        return np.empty(0), np.empty(0)
    derived = law.derive(draws)
    if "G" in derived and cost == SIX_N:
        n_params = derived["G"] * (flops / 6) ** derived["a"]
        on_budget = {"n_params": n_params[:, None], "n_tokens": flops / (6 * n_params[:, None])}
        return n_params, law.predict(draws, on_budget)[:, 0]
    log_grid = np.linspace(np.log(SEARCH_N[0]), np.log(SEARCH_N[1]), SEARCH_POINTS)
    losses = _loss_on_budget(law, draws, np.exp(log_grid), flops, cost)
    best = np.clip(np.argmin(losses, axis=1), 1, SEARCH_POINTS - 2)
    rows = np.arange(len(draws))
    left, middle, right = (losses[rows, best + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, (left - right) / (2 * np.where(bend > 0, bend, 1.0)), 0.0)
    log_n = log_grid[best] + shift * (log_grid[1] - log_grid[0])
    return np.exp(log_n), middle - shift * (left - right) / 4
