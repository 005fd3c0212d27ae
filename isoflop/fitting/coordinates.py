"""The coordinates a solver steps in: logarithms of positive constants, the rest as they are.

A coefficient and its exponent, A·N^-alpha, move along a straight valley in (log A, alpha) and
along a curved one in (A, alpha). Legend: B batch, p parameters; phi solver coordinates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.law import AbstractLaw, Array


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

    @property
    def floor(self) -> Array:
        """Lower bounds in solver coordinates, (p,)."""
        return self.enter(self.low)

    @property
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
