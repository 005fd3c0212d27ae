"""Roots and minima of many functions at once: one for each draw of a fit.

Legend: x one positive amount for each row; searched in log x.
"""

from collections.abc import Callable

import numpy as np

from isoflop.laws.law import AbstractLaw, Array

HALVINGS = 64
"""Bisections: a bracket of a hundred e-folds ends narrower than a rounding."""

GOLDEN = (np.sqrt(5) - 1) / 2
GOLDEN_STEPS = 80
GRID = 241


def solve_rows(function: Callable[[Array], Array], low: float, high: float) -> Array:
    """Solve f(x) = 0 for each row, f rising through zero once between `low` and `high`.

    Args:
        function: (K,) x to (K,) values.
        low: lower end, positive.
        high: upper end.

    Returns:
        (K,) roots; 0 or inf where f has no sign change, being positive or negative throughout.

    >>> solve_rows(lambda x: x**2 - np.array([4.0, 9.0]), 1e-3, 1e3)
    array([2., 3.])
    """
    at_low = function(np.array([low]))
    bottom, top = (np.full(at_low.shape, np.log(end)) for end in (low, high))
    for _ in range(HALVINGS):
        middle = (bottom + top) / 2
        is_above = function(np.exp(middle)) > 0
        bottom, top = np.where(is_above, bottom, middle), np.where(is_above, middle, top)
    roots = np.exp((bottom + top) / 2)
    roots = np.where(at_low > 0, 0.0, roots)
    return np.where(function(np.full(roots.shape, high)) < 0, np.inf, roots)


def minimise_rows(function: Callable[[Array], Array], low: float, high: float) -> Array:
    """Find the lowest f(x) of each row: the best of a grid, then golden sections.

    Args:
        function: (K,) x to (K,) values.
        low: lower end, positive.
        high: upper end.

    Returns:
        (K,) places; NaN where the lowest lies at an end.

    >>> minimise_rows(lambda x: (np.log(x) - np.array([1.0, 2.0])) ** 2, 1e-3, 1e3).round(6)
    array([2.718282, 7.389056])
    """
    log_grid = np.linspace(np.log(low), np.log(high), GRID)
    on_grid = np.stack([function(np.array([np.exp(x)])) for x in log_grid])
    best = np.argmin(np.where(np.isfinite(on_grid), on_grid, np.inf), axis=0)
    inside = np.clip(best, 1, GRID - 2)
    left, right = log_grid[inside - 1], log_grid[inside + 1]
    for _ in range(GOLDEN_STEPS):
        width = GOLDEN * (right - left)
        is_left = function(np.exp(right - width)) < function(np.exp(left + width))
        left, right = np.where(is_left, left, right - width), np.where(is_left, left + width, right)
    return np.where(best == inside, np.exp((left + right) / 2), np.nan)


def predict_rows(law: AbstractLaw, rows: Array, **variables: Array | float) -> Array:
    """Predict one run for each row of constants, (K,).

    Args:
        law: the law.
        rows: (K, p) constants.
        variables: {name: (K,) or one value for all}.
    """
    columns = {name: np.atleast_1d(np.asarray(x, float))[:, None] for name, x in variables.items()}
    return law.predict(rows, columns)[:, 0]
