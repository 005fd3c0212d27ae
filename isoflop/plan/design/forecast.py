"""The forecast a design is for: the loss and the size of the compute-optimal run at a budget.

Legend: K sets of constants, p constants, phi solver coordinates (logarithms of positive ones);
x = log N along the budget's line of equal compute.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.optimum import optima_of_draws
from isoflop.runs.cost import TokenCost

STEP = 1e-3
"""Step of central differences in log N: errors of 1e-6 relative."""
GOALS = ("loss", "size")
"""What a forecast may be of."""


@dataclass(frozen=True)
class Forecast:
    """The optimum at a budget under each plausible set of constants, and how it leans on them.

    Args:
        flops: the budget.
        n_params: (K,) optimal size.
        loss: (K,) loss there.
        slopes: (K, 2, p) derivatives of log loss and of log size by solver coordinates.
    """

    flops: float
    n_params: Array
    loss: Array
    slopes: Array


def forecast_optimum(
    law: AbstractLaw, thetas: Array, flops: float, *, cost: TokenCost | None = None
) -> Forecast:
    """Find the optimum at a budget and its derivatives by the law's constants.

    The loss of the optimum moves as the loss at a fixed size does (envelope theorem). The size
    moves by −(∂²L/∂x∂phi)/(∂²L/∂x²), since ∂L/∂x stays zero.

    Args:
        law: a law of n_params and n_tokens.
        thetas: (K, p) constants.
        flops: the budget, FLOPs.
        cost: FLOPs per token as a function of size; C = 6ND by default.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> theta = np.array([[1.8172, 482.01, 2085.43, 0.3478, 0.3658]])
    >>> forecast = forecast_optimum(ChinchillaLaw(), theta, 5.76e23)
    >>> f"{forecast.n_params[0]:.1e}", round(float(forecast.slopes[0, 1, 1]), 3)  # 1/(alpha + beta)
    ('7.2e+10', 1.401)
    """
    cost = cost or TokenCost()
    n_params, loss = optima_of_draws(law, thetas, flops, cost)
    slopes = [
        _slopes(law, theta, flops, float(best), cost)
        for theta, best in zip(thetas, n_params, strict=True)
    ]
    return Forecast(flops, n_params, loss, np.array(slopes))


def _slopes(law: AbstractLaw, theta: Array, flops: float, best: float, cost: TokenCost) -> Array:
    sizes = best * np.exp(STEP * np.array([-1.0, 0.0, 1.0]))
    along = {"n_params": sizes, "n_tokens": flops / cost.flops_per_token(sizes)}
    loss = law.predict(theta, along)
    by_phi = law.gradient(theta, along) * coordinates_of(law).chain(theta)
    mixed = (by_phi[2] - by_phi[0]) / (2 * STEP)
    bend = (loss[2] - 2 * loss[1] + loss[0]) / STEP**2
    return np.array([by_phi[1] / loss[1], -mixed / bend])
