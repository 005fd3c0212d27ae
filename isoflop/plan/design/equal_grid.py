"""The equal-spaced IsoFLOP grid that a designed ladder is held against."""

import numpy as np

from isoflop.plan.design.candidates import DECADES, Candidates, runs_around
from isoflop.plan.design.knowledge import Knowledge
from isoflop.plan.optimum.optimum import optimal_params

GRID_BUDGETS, GRID_SIZES, GRID_SPREAD = 7, 9, 4.0
"""The equal-spaced IsoFLOP grid a design is held against; fewer of both where runs are fewer."""


def equal_grid(
    known: Knowledge,
    budget: float,
    *,
    decades: float = DECADES,
    max_runs: int = GRID_BUDGETS * GRID_SIZES,
) -> Candidates:
    """An IsoFLOP grid: budgets evenly in log compute, sizes within ×4 of each optimum.

    Args:
        known: the law, which says where the optima lie.
        budget: compute of the whole grid, FLOPs.
        decades: from the smallest budget to the largest.
        max_runs: 7 budgets and 9 sizes, or fewer of both, in that proportion, within so many runs.
    """
    n_budgets, n_sizes = grid_shape(max_runs)
    shape = np.geomspace(10**-decades, 1.0, n_budgets)
    budgets = shape * budget / (n_sizes * shape.sum())
    centres = [optimal_params(known.law, known.thetas[0], c, cost=known.cost)[0] for c in budgets]
    ratios = np.geomspace(1 / GRID_SPREAD, GRID_SPREAD, n_sizes)
    return runs_around(known, budgets, np.array(centres), ratios)


def grid_shape(max_runs: int) -> tuple[int, int]:
    """Budgets and sizes of an IsoFLOP grid of at most so many runs, three sizes or more.

    >>> grid_shape(63), grid_shape(200), grid_shape(30), grid_shape(12)
    ((7, 9), (7, 9), (5, 6), (3, 4))
    """
    if max_runs >= GRID_BUDGETS * GRID_SIZES:
        return GRID_BUDGETS, GRID_SIZES
    n_sizes = max(3, round(float(np.sqrt(max_runs * GRID_SIZES / GRID_BUDGETS))))
    return max(2, max_runs // n_sizes), n_sizes
