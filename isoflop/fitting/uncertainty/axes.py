"""What a profile moves: each constant in turn, and the exponent a, the other constants refitted.

Legend: p parameters; a exponent of N_opt ∝ C^a.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.fitting.uncertainty.tangent import touch
from isoflop.laws.fixed import fix_constants
from isoflop.laws.held_exponent import TIED, HeldExponentLaw, has_exponent
from isoflop.laws.law import AbstractLaw

EXPONENTS = (1e-3, 1 - 1e-3)
"""Where a of N_opt ∝ C^a is looked for."""
FIRST, LONGEST = 0.1, 3.0
"""Step of a constant whose error is unknown, and the longest first step, in e-folds."""


@dataclass(frozen=True)
class Axis:
    """One quantity to be moved.

    Args:
        name: the quantity.
        best: its value at the optimum.
        low: its lowest value allowed.
        high: its highest.
        log: whether steps are taken in its logarithm.
        held: law with the quantity held at a value; None where nothing else is left to fit.
        others: (p − 1,) the other constants at the optimum.
        step: one standard error, roughly, in the coordinate stepped in.
    """

    name: str
    best: float
    low: float
    high: float
    log: bool
    held: Callable[[float], AbstractLaw] | None
    others: Array
    step: float

    def enter(self, value: float) -> float:
        """Coordinate of a value."""
        return float(np.log(value)) if self.log else value

    def leave(self, u: float) -> float:
        """Value of a coordinate, never beyond the bounds by rounding."""
        return float(np.clip(np.exp(u) if self.log else u, self.low, self.high))


def axes_of(problem: Problem, theta: Array) -> list[Axis]:
    """Every constant, and a where the law has it."""
    law, space = problem.law, coordinates_of(problem.law)
    tangent = touch(problem, theta)
    variance = tangent.variance * tangent.gram_inverse
    errors = np.sqrt(np.diag(variance))
    axes = []
    for k, parameter in enumerate(law.parameters):
        log, best = bool(space.logs[k]), float(theta[k])
        size = 1.0 if log else max(abs(best), 1e-3)
        held = None if len(theta) == 1 else _holding(law, parameter.name)
        axes.append(
            Axis(
                parameter.name,
                best,
                parameter.low,
                parameter.high,
                log,
                held,
                np.delete(theta, k),
                _first_step(float(errors[k]), size),
            )
        )
    if has_exponent(law, theta):
        axes.append(_exponent_axis(law, theta, variance))
    return axes


def _holding(law: AbstractLaw, name: str) -> Callable[[float], AbstractLaw]:
    return lambda value: fix_constants(law, {name: value})


def _exponent_axis(law: AbstractLaw, theta: Array, variance: Array) -> Axis:
    a = float(law.derive(theta)["a"])
    tied, free = (law.parameter_names.index(name) for name in (TIED, "beta"))
    between = variance[tied, tied] + variance[free, free] - 2 * variance[tied, free]
    error = a * (1 - a) * float(np.sqrt(max(between, 0.0)))
    return Axis(
        "a",
        a,
        *EXPONENTS,
        False,
        lambda value: HeldExponentLaw(law, value),
        np.delete(theta, tied),
        _first_step(error, a),
    )


def _first_step(error: float, size: float) -> float:
    if not np.isfinite(error) or error <= 0:
        return FIRST * size
    return float(np.clip(error, 1e-9 * size, LONGEST * size))
