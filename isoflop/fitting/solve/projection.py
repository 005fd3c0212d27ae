"""Variable projection: the constants a law is linear in follow from the others.

A start is then worth what its exponents are worth, whatever its coefficients, and a long step of
an exponent drags its coefficient along. Legend: B batch, n runs, m linear constants c, X their
basis (B, m, n), o the prediction without them: L = X·c + o.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.fitting.solve.problem import Batch, gram
from isoflop.fitting.solve.quadratic import solve_within, tame
from isoflop.laws.law import Array

ROUNDS = 1
"""Steps of reweighted least squares after the closed form."""


@dataclass(frozen=True)
class Affine:
    """A batch at fixed nonlinear constants: the prediction is X·c + o.

    Args:
        batch: the rows.
        basis: (B, m, n) X.
        offset: (B, n) o, or zero.
    """

    batch: Batch
    basis: Array
    offset: Array | float

    def compare(self, constants: Array) -> tuple[Array, Array, Array]:
        """Residuals and their slope (B, n), and sum of losses (B,)."""
        residuals, slope = self.batch.compare(self._add(constants) + self.offset)
        return residuals, slope, self.batch.total(residuals)

    def solve_closed(self) -> Array:
        """Least squares of relative errors, which needs no constants to start from, (B, m)."""
        batch = self.batch
        measured, relative = batch.target, 1.0
        if batch.problem.objective.scale != "linear":
            shifted = np.exp(batch.target)
            relative = 1.0 / shifted
            measured = shifted - (batch.problem.objective.scale == "log1p")
        misses = (self.offset - measured) * relative
        return self._step(np.zeros(self.basis.shape[:2]), misses, relative, batch.weights)

    def solve_again(self, constants: Array, residuals: Array, slope: Array) -> Array:
        """One step of reweighted least squares, (B, m)."""
        pull = self.batch.problem.objective.slope_over_residual(residuals)
        return self._step(constants, residuals, slope, self.batch.weights * pull)

    def _add(self, constants: Array) -> Array:
        return (constants[:, None, :] @ self.basis)[:, 0]

    def _step(
        self, constants: Array, residuals: Array, slope: Array | float, weights: Array
    ) -> Array:
        space = self.batch.space
        gradient = (self.basis @ (weights * residuals * slope)[..., None])[..., 0]
        hessian = gram(self.basis, weights * slope * slope)
        low = space.low[space.linear] - constants
        high = space.high[space.linear] - constants
        step = solve_within(tame(hessian), tame(gradient), low, high)
        return constants + step


def settle(batch: Batch, phi: Array) -> Array:
    """Solve for the linear constants at given other ones.

    Starts from the better of the constants given and the closed form by relative least squares,
    then takes a few steps of reweighted least squares within bounds.

    Args:
        batch: the rows.
        phi: (B, p) solver coordinates.

    Returns:
        (B, p) with the linear constants replaced, never by worse ones.
    """
    space = batch.space
    theta = space.leave(phi)
    affine = split(batch, theta)
    best = theta[:, space.linear]
    residuals, slope, value = affine.compare(best)
    trial = affine.solve_closed()
    for last in (False,) * ROUNDS + (True,):
        new_residuals, new_slope, new_value = affine.compare(trial)
        better = new_value < value
        best = np.where(better[:, None], trial, best)
        if last:
            break
        residuals = np.where(better[:, None], new_residuals, residuals)
        slope = np.where(better[:, None], new_slope, slope)
        value = np.where(better, new_value, value)
        trial = affine.solve_again(best, residuals, slope)
    theta[:, space.linear] = best
    return np.clip(space.enter(theta), space.floor, space.ceiling)


def split(batch: Batch, theta: Array) -> Affine:
    """Take the prediction apart into a basis and what is left, at parameters (B, p).

    At linear constants of one, where no rounding of a large term drowns the others.
    """
    space = batch.space
    moderate = np.where(space.linear, np.clip(1.0, space.low, space.high), theta)
    predicted, columns = batch.look(moderate)
    basis = columns[:, space.linear]
    if batch.homogeneous:
        return Affine(batch, basis, 0.0)
    return Affine(batch, basis, predicted - (moderate[:, None, space.linear] @ basis)[:, 0])
