"""The coordinates a solver steps in: logarithms of positive constants, the rest as they are.

A coefficient and its exponent, A·N^-alpha, move along a straight valley in (log A, alpha) and
along a curved one in (A, alpha). Legend: B batch, p parameters; phi solver coordinates.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.law import AbstractLaw, Array

SAME = 1e-3
"""Relative distance below which two exchangeable terms are one."""
APART = 0.25
"""How far they are parted, relatively."""


@dataclass(frozen=True)
class Coordinates:
    """Where the parameters of a law live.

    Args:
        logs: (p,) which are stepped in their logarithm.
        linear: (p,) in which the prediction is linear.
        low: (p,) lower bounds in the parameters' own units.
        high: (p,) upper bounds, likewise.
    """

    logs: NDArray[np.bool_]
    linear: NDArray[np.bool_]
    low: Array
    high: Array

    @cached_property
    def floor(self) -> Array:
        """Lower bounds in solver coordinates, (p,)."""
        return self.enter(self.low)

    @cached_property
    def ceiling(self) -> Array:
        """Upper bounds in solver coordinates, (p,)."""
        return self.enter(self.high)

    def enter(self, theta: Array) -> Array:
        """Bring parameters (..., p) to solver coordinates."""
        return np.where(self.logs, np.log(np.where(self.logs, theta, 1.0)), theta)

    def leave(self, phi: Array) -> Array:
        """Bring solver coordinates (..., p) back to parameters."""
        return np.where(self.logs, np.exp(np.where(self.logs, phi, 0.0)), phi)

    def chain(self, theta: Array) -> Array:
        """Derivative of each parameter by its solver coordinate, (..., p)."""
        return np.where(self.logs, theta, 1.0)


def coordinates_of(law: AbstractLaw) -> Coordinates:
    """Read a law's coordinates off its parameters."""
    return Coordinates(
        logs=np.array([parameter.scale == "log" for parameter in law.parameters]),
        linear=np.array([parameter.name in law.linear for parameter in law.parameters]),
        low=np.array([parameter.low for parameter in law.parameters]),
        high=np.array([parameter.high for parameter in law.parameters]),
    )


def shift_in_solver(law: AbstractLaw, theta: Array, steps: Array) -> Array:
    """Move parameters by steps in solver coordinates, stopping at the bounds.

    Args:
        law: the law.
        theta: (p,) parameters.
        steps: (B, p) steps, relative for parameters on a log scale.

    Returns:
        (B, p) parameters.
    """
    space = coordinates_of(law)
    return space.leave(np.clip(space.enter(theta)[None] + steps, space.floor, space.ceiling))


def sort_terms(law: AbstractLaw, theta: Array) -> NDArray[np.intp]:
    """Order of the parameters that sorts exchangeable terms, so that a minimum has one name.

    Args:
        law: the law, with its groups of exchangeable constants.
        theta: (B, p) parameters.

    Returns:
        (B, p) positions, for `np.take_along_axis`, sorted by the first constant of each group.
    """
    columns = np.tile(np.arange(theta.shape[1]), (len(theta), 1))
    if not law.exchangeable:
        return columns
    places = _places(law)
    order = np.argsort(theta[:, places[:, 0]], axis=1, kind="stable")
    columns[:, places.ravel()] = places[order].reshape(len(theta), -1)
    return columns


def part_terms(law: AbstractLaw, theta: Array) -> tuple[NDArray[np.intp], Array]:
    """Part exchangeable terms that have become one.

    Where two terms coincide the objective is stationary by symmetry, minimum or not: often a
    saddle from which terms apart would go on down.

    Args:
        law: the law.
        theta: (B, p) parameters, sorted.

    Returns:
        The rows (k,) with coinciding terms, and their parameters (k, p) with the terms apart.
    """
    if not law.exchangeable:
        return np.empty(0, dtype=np.intp), theta[:0]
    keys = _places(law)[:, 0]
    here = theta[:, keys]
    close = np.diff(here, axis=1) <= SAME * np.abs(here[:, 1:])
    rows = np.flatnonzero(close.any(axis=1))
    apart = theta[rows]
    for left in range(close.shape[1]):
        joined = close[rows, left]
        for key, factor in ((keys[left], 1 - APART), (keys[left + 1], 1 + APART)):
            apart[:, key] = np.where(joined, apart[:, key] * factor, apart[:, key])
    return rows, apart


def _places(law: AbstractLaw) -> NDArray[np.intp]:
    """Positions of the exchangeable constants, (groups, constants of one)."""
    names = law.parameter_names
    return np.array([[names.index(name) for name in group] for group in law.exchangeable])
