"""The line that a way of counting draws through the optima of one surface.

Legend: N parameters as the surface knows them, D tokens, C FLOPs; N_eff = C/6D.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.refit import LAW

GRID = np.geomspace(1.0, 1e16, 16_001)
BUDGETS = 60


@dataclass(frozen=True)
class Count:
    """N + gamma·N^power, what another count makes of N; gamma may be negative.

    >>> Count(47491.0, 1 / 3).of(np.array([1e6])).round()
    array([5749100.])
    """

    gamma: float = 0.0
    power: float = 1 / 3

    def of(self, n_params: Array) -> Array:
        """The other count of sizes, same shape; never below a thousandth of N."""
        return np.maximum(n_params + self.gamma * n_params**self.power, 1e-3 * n_params)


def fit_count(n_params: Array, other: Array) -> Count:
    """Find the count that turns N into another number, by least squares of relative error.

    The power is a third, as embeddings grow at a fixed shape, or a half, as at a fixed depth.
    """
    counts = []
    for power in (1 / 3, 1 / 2):
        q, y = n_params**power / other, (other - n_params) / other
        gamma = float(q @ y / (q @ q))
        counts.append((float(np.sum((y - gamma * q) ** 2)), Count(gamma, power)))
    return min(counts, key=lambda pair: pair[0])[1]


def line_of_optima(
    theta: Array, flops: tuple[float, float], *, size: Count, cost: Count
) -> tuple[float, float]:
    """Slope and intercept of log N* in log C over measured budgets.

    Args:
        theta: (5,) surface in the parameters of `GRID`'s kind after `size`.
        flops: smallest and largest budget, as `cost` counts them.
        size: from the count that is reported to the count that the surface is in.
        cost: from the count that is reported to C/6D.
    """
    budgets = np.geomspace(*flops, BUDGETS)
    best = [np.log(optimum(theta, float(c), size=size, cost=cost)) for c in budgets]
    slope, intercept = np.polyfit(np.log(budgets), best, 1)
    return float(slope), float(intercept)


def optimum(theta: Array, flops: float, *, size: Count, cost: Count) -> float:
    """The reported N with the lowest loss of a budget, to a parabola through three grid points."""
    tokens = flops / (6 * cost.of(GRID))
    loss = LAW.predict(theta, {"n_params": size.of(GRID), "n_tokens": tokens})
    k = int(np.clip(np.argmin(loss), 1, len(GRID) - 2))
    left, middle, right = loss[k - 1 : k + 2]
    bend = left - 2 * middle + right
    offset = 0.5 * (left - right) / bend if bend > 0 else 0.0
    step = np.log(GRID[1] / GRID[0])
    return float(np.exp(np.log(GRID[k]) + offset * step))
