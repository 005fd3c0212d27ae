"""Minimise many small quadratics within boxes: the steps of the solver.

Legend: B batch, p coordinates; H Hessians (B, p, p), g gradients (B, p), d steps (B, p).
"""

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.law import Array

RIDGE = 1e-15
"""Keeps a Hessian of unit diagonal invertible; below rounding."""
SHARE_LEFT = 1e-12
"""Smallest share of a coordinate's curvature taken to survive elimination; rounding makes less."""


def solve_within(hessian: Array, gradient: Array, low: Array, high: Array) -> Array:
    """Minimise gᵀd + dᵀHd/2 for low ≤ d ≤ high.

    Coordinates that leave the box are held at its edge and the others solved again, so that a
    step along a bound is as good as a step inside.

    Args:
        hessian: (B, p, p) positive semi-definite.
        gradient: (B, p).
        low: (B, p), not above zero.
        high: (B, p), not below zero.

    Returns:
        (B, p) steps; zero for coordinates at an edge that the gradient pushes against.

    >>> bowl = np.array([[[2.0, 1.0], [1.0, 2.0]]])
    >>> slope = np.array([[-4.0, -5.0]])
    >>> solve_within(bowl, slope, np.full((1, 2), -9.0), np.full((1, 2), 9.0))
    array([[1., 2.]])
    >>> solve_within(bowl, slope, np.full((1, 2), -9.0), np.full((1, 2), 1.5))
    array([[1.25, 1.5 ]])
    """
    root = _root_diagonal(hessian)
    unit = hessian / (root[:, :, None] * root[:, None, :])
    unit += RIDGE * np.eye(gradient.shape[1])
    right = -gradient / root
    ceiling = np.where((low >= 0) & (gradient > 0), low, high)
    floor = np.where((high <= 0) & (gradient < 0), high, low)
    steps = _solve(unit, right) / root
    held = np.zeros(steps.shape, dtype=bool)
    for _ in range(gradient.shape[1]):
        out = ((steps < floor) | (steps > ceiling)) & ~held
        rows = np.flatnonzero(out.any(axis=1))
        if not rows.size:
            break
        held[rows] |= out[rows]
        edge = np.clip(steps[rows], floor[rows], ceiling[rows])
        fixed = np.where(held[rows], edge * root[rows], 0.0)
        solved = _solve_rest(unit[rows], right[rows], fixed, held[rows]) / root[rows]
        steps[rows] = np.where(held[rows], edge, solved)
    return np.clip(tame(steps), floor, ceiling)


def _solve_rest(unit: Array, right: Array, fixed: Array, held: NDArray[np.bool_]) -> Array:
    """Solve for the coordinates that are not held, the others fixed."""
    right = np.where(held, 0.0, right - (unit @ fixed[..., None])[..., 0])
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, unit)
    matrix += held[:, None, :] * np.eye(right.shape[1])
    return _solve(matrix, right)


def _solve(matrix: Array, right: Array) -> Array:
    return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], dtype=np.float64)


def eliminate(hessian: Array, gradient: Array, linear: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Curvature and gradient of each coordinate once the linear ones follow it.

    A·N^-alpha hardly bends in alpha when A and E follow; damping by the bend at fixed A and E
    would hold alpha a thousand times too tightly. The Schur complement's diagonal, and its right
    side (Golub & Pereyra 1973; Kaufman 1975).

    Args:
        hessian: (B, p, p).
        gradient: (B, p), zero where a bound holds a coordinate.
        linear: (p,) the coordinates eliminated.

    Returns:
        Curvature (B, p) and gradient (B, p); of the linear ones, their own.
    """
    diagonal = hessian.diagonal(axis1=1, axis2=2).copy()
    if not linear.any() or linear.all():
        return diagonal, gradient
    corner = hessian[:, linear][:, :, linear]
    root = _root_diagonal(corner)
    corner = corner / (root[:, :, None] * root[:, None, :]) + 1e-13 * np.eye(corner.shape[1])
    across = hessian[:, linear][:, :, ~linear] / root[:, :, None]
    follow = np.linalg.solve(corner, across)
    rest = diagonal[:, ~linear]
    diagonal[:, ~linear] = np.maximum(rest - (across * follow).sum(axis=1), SHARE_LEFT * rest)
    left = gradient.copy()
    left[:, ~linear] -= (follow * (gradient[:, linear] / root)[:, :, None]).sum(axis=1)
    return diagonal, left


def _root_diagonal(hessian: Array) -> Array:
    """Root of the diagonal, (B, p); one where it vanishes."""
    diagonal = hessian.diagonal(axis1=1, axis2=2)
    return np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def tame(array: Array) -> Array:
    """Replace what is not finite, where anything is not."""
    return array if np.isfinite(array).all() else np.nan_to_num(array)
