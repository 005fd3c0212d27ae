"""Deadweight compute: what a model of the wrong size wastes of its budget.

Legend: C FLOPs, N parameters, L loss, E irreducible loss; L*(C) the lowest loss of a budget.
"""

import numpy as np
from scipy.optimize import brentq

from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.optimum import SIX_N, optimal_params
from isoflop.runs.cost import TokenCost

NARROWEST = 1e-6
"""Share of the budget from which the search for its equivalent starts."""


def deadweight_compute(
    law: AbstractLaw, theta: Array, n_params: float, flops: float, *, cost: TokenCost = SIX_N
) -> float:
    """Share of a budget lost by training N parameters instead of the optimum, 0 to 1.

    1 − C'/C, where C' is the budget whose own optimum has the loss that N reaches with C. For
    Chinchilla's form and C = 6ND that is 1 − ((L(N) − E)/K)^(−1/g)/C with L*(C) = E + K·C^−g and
    g = alpha·beta/(alpha + beta).

    Args:
        law: a law of n_params and n_tokens.
        theta: (p,) its parameters.
        n_params: the size trained.
        flops: the budget.
        cost: FLOPs per token as a function of size.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    >>> best = optimal_params(ChinchillaLaw(), theta, 1e21)[0]
    >>> [round(deadweight_compute(ChinchillaLaw(), theta, k * best, 1e21), 3) for k in (1, 2, 4)]
    [0.0, 0.157, 0.486]
    """
    size = np.array([n_params])
    tokens = flops / cost.flops_per_token(size)
    loss = float(law.predict(theta, {"n_params": size, "n_tokens": tokens})[0])

    def excess(log_share: float) -> float:
        return optimal_params(law, theta, flops * float(np.exp(log_share)), cost=cost)[1] - loss

    if excess(0.0) >= 0:  # N is the optimum, to rounding
        return 0.0
    lowest = float(np.log(NARROWEST))
    if excess(lowest) <= 0:
        return 1 - NARROWEST
    return float(1 - np.exp(brentq(excess, lowest, 0.0, xtol=1e-12)))  # pyright: ignore
