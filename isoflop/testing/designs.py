"""Ladders to plant a law on: the shapes in which people lay out their runs.

Legend: N parameters, D tokens, C = 6ND FLOPs.
"""

from collections.abc import Mapping

import numpy as np

from isoflop.laws.law import AbstractLaw, Array

MOST_GRID_VARIABLES = 3
"""A factorial grid of more variables than these would be too large to fit in a test."""

Design = dict[str, Array]


def make_designs(
    law: AbstractLaw, theta: Array, points: Mapping[str, Array]
) -> dict[str, Mapping[str, Array]]:
    """Lay out runs in every usual shape between the ends of some points.

    Args:
        law: the law to be planted.
        theta: (n_parameters,) its constants, which say where the budgets have their optimum.
        points: {column: (n,)}, whose lowest and highest values are the ends.

    Returns:
        {name: {column: (n_runs,)}}: a ladder and a short ladder of one variable; a grid and a
        scatter of several; and, of laws of n_params and n_tokens, IsoFLOP curves that are
        narrow, wide, off centre and drifting.

    >>> from isoflop.laws.power import PowerLaw
    >>> law, ends = PowerLaw("flops"), {"flops": np.array([1e18, 1e21])}
    >>> sorted(make_designs(law, np.array([20.0, 0.1]), ends))
    ['ladder', 'scatter', 'short ladder']
    """
    ends = {name: (float(column.min()), float(column.max())) for name, column in points.items()}
    n_parameters = len(law.parameters)
    designs: dict[str, Mapping[str, Array]] = {"scatter": scatter(ends, 60)}
    if len(ends) == 1:
        ((name, (low, high)),) = ends.items()
        designs["ladder"] = {name: np.geomspace(low, high, max(15, 3 * n_parameters))}
        designs["short ladder"] = {name: np.geomspace(low, high, 2 * n_parameters + 1)}
    elif len(ends) <= MOST_GRID_VARIABLES:
        designs["grid"] = grid(ends, 6 if len(ends) == 2 else 5)
    if "n_params" in ends and "n_tokens" in ends and "flops" not in ends:
        designs |= isoflop_designs(law, theta, ends)
    return designs


def grid(ends: Mapping[str, tuple[float, float]], points: int) -> Design:
    """Every value of every variable with every other, `points` values each."""
    axes = np.meshgrid(*(np.geomspace(low, high, points) for low, high in ends.values()))
    return {name: axis.ravel() for name, axis in zip(ends, axes, strict=True)}


def scatter(ends: Mapping[str, tuple[float, float]], points: int, seed: int = 0) -> Design:
    """Values drawn independently and uniformly in log space."""
    rng = np.random.default_rng(seed)
    return {
        name: np.exp(rng.uniform(np.log(low), np.log(high), points))
        for name, (low, high) in ends.items()
    }


def isoflop_designs(
    law: AbstractLaw, theta: Array, ends: Mapping[str, tuple[float, float]]
) -> dict[str, Mapping[str, Array]]:
    """IsoFLOP curves around the law's own optimum, and around wrong guesses of it."""
    shapes = {
        "isoflop": (4.0, 1.0, 1.0),
        "isoflop narrow": (2.0, 1.0, 1.0),
        "isoflop wide": (16.0, 1.0, 1.0),
        "isoflop off centre": (4.0, 3.0, 1.0),
        "isoflop drifting": (4.0, 1.0, 3.0),
    }
    budgets = np.geomspace(1e17, 1e21, 5)
    centres = np.array([_best_size(law, theta, budget, ends) for budget in budgets])
    return {name: _isoflop(budgets, centres, ends, *shape) for name, shape in shapes.items()}


def _isoflop(
    budgets: Array,
    centres: Array,
    ends: Mapping[str, tuple[float, float]],
    half_width: float,
    off: float,
    drift: float,
) -> Design:
    steps = np.linspace(0.0, 1.0, len(budgets))
    sizes = (centres * off * drift**steps)[:, None] * np.geomspace(1 / half_width, half_width, 15)
    rest = {name: end for name, end in ends.items() if name not in ("n_params", "n_tokens")}
    N = sizes.ravel()
    return {"n_params": N, "n_tokens": (budgets[:, None] / (6 * sizes)).ravel(),
            **scatter(rest, len(N))}  # fmt: skip


def _best_size(
    law: AbstractLaw, theta: Array, budget: float, ends: Mapping[str, tuple[float, float]]
) -> float:
    """Size of the lowest loss on a budget, other variables at the middle of their ends."""
    N = np.geomspace(np.sqrt(budget / 6) / 300, np.sqrt(budget / 6) * 30, 2000)
    columns = {name: np.full_like(N, np.sqrt(low * high)) for name, (low, high) in ends.items()}
    loss = law.predict(theta, {**columns, "n_params": N, "n_tokens": budget / (6 * N)})
    best = int(np.argmin(loss))
    inside = 0 < best < len(N) - 1
    return float(N[best]) if inside else float(np.sqrt(budget / 120))  # else 20 tokens a parameter
