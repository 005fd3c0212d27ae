"""What is minimised: one law on one set of runs, for one or many rows of a batch.

Legend: B batch, n runs, p parameters.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.coordinates import Coordinates, coordinates_of
from isoflop.laws.law import AbstractLaw, Array, Variables

Rows = NDArray[np.intp] | slice


@dataclass(frozen=True)
class Problem:
    """One law on one set of runs.

    Args:
        law: the law.
        variables: {name: (n_runs,) float}.
        measured: (n_runs,) float, the law's response: positive where residuals are logs. Or
            (B, n_runs): many studies of one design, one for each row of the batch.
        objective: loss function of the residuals.
    """

    law: AbstractLaw
    variables: Variables
    measured: Array
    objective: Objective = field(default_factory=Objective)

    @property
    def n_runs(self) -> int:
        """Runs of the design."""
        return self.measured.shape[-1]

    def residuals(self, theta: Array) -> Array:
        """Residuals predicted − measured on the objective's scale, (B, n)."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            predicted = self.law.predict(theta, self.variables)
            return self.objective.enter(predicted) - self.objective.enter(self.measured)

    def jacobian(self, theta: Array) -> Array:
        """Derivative of the residuals by solver coordinates, (B, n, p)."""
        by_theta = self.law.gradient(theta, self.variables)
        if self.objective.scale != "linear":
            unit = self.objective.unit(self.law.predict(theta, self.variables))
            by_theta = by_theta / np.asarray(unit)[..., None]
        return by_theta * coordinates_of(self.law).chain(theta)[..., None, :]

    def value(self, theta: Array, weights: Array) -> Array:
        """Weighted sum of losses, (B,); infinite where the law overflows."""
        total = (weights * self.objective.value(self.residuals(theta))).sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)


@dataclass(frozen=True)
class Batch:
    """Rows being minimised: their problem, weights and targets.

    Args:
        problem: law, runs and objective.
        space: the law's coordinates.
        weights: (B, n) weights of the runs.
        target: (n,) or (B, n) measured response on the residuals' scale.
        homogeneous: whether nothing is left of the prediction without its linear constants.
    """

    problem: Problem
    space: Coordinates
    weights: Array
    target: Array
    homogeneous: bool

    def take(self, rows: Rows) -> "Batch":
        """Keep some rows."""
        target = self.target if self.target.ndim == 1 else self.target[rows]
        return Batch(self.problem, self.space, self.weights[rows], target, self.homogeneous)

    def look(self, theta: Array) -> tuple[Array, Array]:
        """Prediction (B, n) and its gradient (B, p, n), one contiguous row a parameter."""
        law, variables = self.problem.law, self.problem.variables
        columns = np.ascontiguousarray(np.swapaxes(law.gradient(theta, variables), 1, 2))
        if not self.homogeneous:
            return law.predict(theta, variables), columns
        linear = self.space.linear
        return (theta[:, None, linear] @ columns[:, linear])[:, 0], columns

    def compare(self, predicted: Array) -> tuple[Array, Array]:
        """Residuals and their derivative by the prediction, (B, n) each."""
        if self.problem.objective.scale == "linear":
            return predicted - self.target, np.ones_like(predicted)
        objective = self.problem.objective
        return objective.enter(predicted) - self.target, 1.0 / np.asarray(objective.unit(predicted))

    def total(self, residuals: Array) -> Array:
        """Weighted sum of losses, (B,); infinite where the law overflows."""
        total = (self.weights * self.problem.objective.value(residuals)).sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    @property
    def rounding(self) -> Array:
        """Sum of losses that rounding alone can make, (B,)."""
        size = np.ones_like(self.target)
        if self.problem.objective.scale == "linear":
            size = self.target * self.target
        return ROUNDING**2 * (self.weights * size).sum(axis=-1)


ROUNDING = 1e-16
"""Relative rounding of a prediction; a smaller residual says nothing."""


def pose_batch(problem: Problem, weights: Array) -> Batch:
    """Prepare rows for minimisation: whatever does not change is computed once."""
    target = problem.objective.enter(problem.measured)
    space = coordinates_of(problem.law)
    homogeneous = bool(space.linear.any()) and _is_homogeneous(problem, space)
    return Batch(problem, space, weights, target, homogeneous)


def _is_homogeneous(problem: Problem, space: Coordinates) -> bool:
    """Whether the law predicts zero when its linear constants are."""
    anywhere = np.where(space.linear, 0.0, np.clip(0.7368, space.low, space.high))
    return not problem.law.predict(anywhere[None], problem.variables).any()


def gram(columns: Array, weights: Array) -> Array:
    """Weighted inner products of columns (B, k, n) with weights (B, n): (B, k, k)."""
    return (columns * weights[:, None, :]) @ np.swapaxes(columns, 1, 2)
