"""Minimise many weighted fits of one law at once: Levenberg–Marquardt, batched in NumPy.

Starts and bootstrap resamples are the same thing to the solver: rows of a batch, each with its
own parameters and its own weights on the runs.

Legend: B batch, n runs, p parameters; phi solver coordinates (log of every positive parameter).
"""

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.objective import Objective
from isoflop.laws.law import AbstractLaw, Array, Variables

MAX_ITERATIONS = 400
GRADIENT_TOLERANCE = 1e-9
"""Largest projected gradient at convergence, relative to curvature and objective."""
BATCH_CELLS = 3_000_000
"""Largest B·n·p held at once, so that the Jacobian stays near the cache."""


class Outcome(Enum):
    """How a fit ended; the value is the sentence shown to people."""

    CONVERGED = "converged: the gradient vanishes to machine precision"
    AT_BOUND = "converged at a bound: one or more parameters are not determined by these runs"
    UNIDENTIFIED = "the runs leave a direction of the parameters free: some are not identified"
    NOT_CONVERGED = "stopped before the gradient vanished: do not use these numbers"


@dataclass(frozen=True)
class Solution:
    """Minimisers found, one row a batch member.

    Args:
        theta: (B, p) parameters in the law's own units.
        objective: (B,) sum of weighted losses.
        converged: (B,) whether the projected gradient vanished.
        at_bound: (B, p) parameters resting on a bound.
    """

    theta: Array
    objective: Array
    converged: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]


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

    def select(self, rows: NDArray[np.intp] | slice) -> "Problem":
        """The problem of some rows of a batch; the same one where all share their losses."""
        return self if self.measured.ndim == 1 else replace(self, measured=self.measured[rows])

    def residuals(self, theta: Array) -> Array:
        """Residuals predicted − measured on the objective's scale, (B, n)."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            predicted = self.law.predict(theta, self.variables)
            if self.objective.scale == "linear":
                return predicted - self.measured
            return np.log(predicted) - np.log(self.measured)

    def jacobian(self, theta: Array) -> Array:
        """Derivative of the residuals by solver coordinates, (B, n, p)."""
        by_theta = self.law.gradient(theta, self.variables)
        if self.objective.scale == "log":
            by_theta = by_theta / self.law.predict(theta, self.variables)[..., None]
        return by_theta * _chain(self.law, theta)[..., None, :]

    def value(self, theta: Array, weights: Array) -> Array:
        """Weighted sum of losses, (B,); infinite where the law overflows."""
        residuals = self.residuals(theta)
        total = np.einsum("bn,bn->b", weights, self.objective.value(residuals))
        return np.where(np.isfinite(total), total, np.inf)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def minimise(
    problem: Problem, starts: Array, weights: Array, *, tolerance: float = GRADIENT_TOLERANCE
) -> Solution:
    """Minimise from every start.

    Args:
        problem: law, runs and loss function; with losses (B, n), row b is fitted to row b.
        starts: (B, p) parameters within bounds.
        weights: (n,) or (B, n) non-negative weights of the runs.
        tolerance: largest projected gradient at convergence, relative to curvature and objective.

    Returns:
        One solution a start; never worse than the start. Where a trial overflows, its objective
        is infinite and the step is not taken.
    """
    starts = np.atleast_2d(np.asarray(starts, dtype=np.float64))
    weights = np.broadcast_to(weights, (len(starts), problem.n_runs))
    chunk = max(1, BATCH_CELLS // (weights.shape[1] * starts.shape[1]))
    parts = [
        _minimise_chunk(problem.select(rows), starts[rows], weights[rows], tolerance)
        for rows in (slice(i, i + chunk) for i in range(0, len(starts), chunk))
    ]
    return Solution(
        theta=np.concatenate([part.theta for part in parts]),
        objective=np.concatenate([part.objective for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        at_bound=np.concatenate([part.at_bound for part in parts]),
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
    low, high = _bounds(law)
    return _from_solver(law, np.clip(_to_solver(law, theta)[None] + steps, low, high))


def _minimise_chunk(problem: Problem, starts: Array, weights: Array, tolerance: float) -> Solution:
    """Iterate until every row's projected gradient vanishes or it can no longer descend.

    The Hessian is a blend of the reweighting one (safe: it majorises Huber's loss) and the
    Newton one (fast near the optimum); a row that descends leans towards Newton, a row that
    does not leans back and is damped.
    """
    low, high = _bounds(problem.law)
    phi = np.clip(_to_solver(problem.law, starts), low, high)
    best = problem.value(_from_solver(problem.law, phi), weights)
    damping = np.full(len(phi), 1e-2)
    safety = np.ones(len(phi))
    converged = np.zeros(len(phi), dtype=bool)
    stalled = np.zeros(len(phi), dtype=int)
    for _ in range(MAX_ITERATIONS):
        rows = np.flatnonzero(~converged & (stalled < 25) & np.isfinite(best))
        if not rows.size:
            break
        part = problem.select(rows)
        gradient, hessian, scale = _expand(part, phi[rows], weights[rows], safety[rows])
        free = ~(((phi[rows] <= low) & (gradient > 0)) | ((phi[rows] >= high) & (gradient < 0)))
        converged[rows] = _vanishes(gradient * free, scale, best[rows], tolerance)
        step = _damped_step(gradient, hessian, scale, free, damping[rows])
        trial = np.clip(phi[rows] + step, low, high)
        value = part.value(_from_solver(problem.law, trial), weights[rows])
        better = value < best[rows]
        won, lost = rows[better], rows[~better]
        phi[won], best[won] = trial[better], value[better]
        damping[won], safety[won], stalled[won] = damping[won] * 0.2, safety[won] * 0.25, 0
        damping[won] = np.maximum(damping[won], 1e-14)
        damping[lost] = np.minimum(np.maximum(damping[lost] * 6, 1e-8), 1e10)
        safety[lost], stalled[lost] = (
            np.minimum(np.maximum(safety[lost] * 6, 1e-3), 1.0),
            (stalled[lost] + 1),
        )
    resting = (phi <= low + 1e-9) | (phi >= high - 1e-9)
    # A row that can no longer descend in floating point has converged if its gradient is small.
    rows = np.flatnonzero(~converged & np.isfinite(best))
    if rows.size:
        part = problem.select(rows)
        gradient, _, scale = _expand(part, phi[rows], weights[rows], safety[rows])
        converged[rows] = _vanishes(gradient * ~resting[rows], scale, best[rows], 1e3 * tolerance)
    return Solution(_from_solver(problem.law, phi), best, converged, resting)


def _expand(
    problem: Problem, phi: Array, weights: Array, safety: Array
) -> tuple[Array, Array, Array]:
    """Gradient (B, p), blended Hessian (B, p, p) and its safe diagonal (B, p)."""
    theta = _from_solver(problem.law, phi)
    residuals = problem.residuals(theta)
    jacobian = problem.jacobian(theta)
    safe = weights * problem.objective.slope_over_residual(residuals)
    newton = weights * problem.objective.curvature(residuals)
    blend = safety[:, None] * safe + (1 - safety[:, None]) * newton
    transposed = np.swapaxes(jacobian, 1, 2)
    gradient = (transposed @ (safe * residuals)[..., None])[..., 0]
    hessian = transposed @ (blend[..., None] * jacobian)
    scale = np.einsum("bn,bnp->bp", safe, jacobian * jacobian) + 1e-300
    return gradient, hessian, scale


def _damped_step(
    gradient: Array, hessian: Array, scale: Array, free: NDArray[np.bool_], damping: Array
) -> Array:
    """Solve (H + damping·diag) step = −gradient in the free coordinates, scaled to unit size."""
    root = np.sqrt(scale)
    scaled = hessian / (root[:, :, None] * root[:, None, :])
    mask = free[:, :, None] & free[:, None, :]
    identity = np.eye(scale.shape[1])
    scaled = np.where(mask, scaled, 0.0) + identity * (damping[:, None, None] + 1e-15)
    scaled += identity * (~free)[:, None, :]
    right = np.where(free, -gradient / root, 0.0)
    return np.clip(np.linalg.solve(scaled, right[..., None])[..., 0] / root, -20.0, 20.0)


def _vanishes(
    gradient: Array, scale: Array, objective: Array, tolerance: float
) -> NDArray[np.bool_]:
    """Whether the step a gradient still asks for is negligible against the objective.

    gradient²/scale is the decrease a coordinate can still bring; it is compared with the
    objective, and with the square of the rounding of a log loss for perfect fits.
    """
    decrease = np.max(gradient * gradient / scale, axis=1)
    rounding = 1e-32 * scale.shape[1] * max(1.0, tolerance / GRADIENT_TOLERANCE)
    return decrease <= tolerance**2 * objective + rounding


def _bounds(law: AbstractLaw) -> tuple[Array, Array]:
    low = np.array([[parameter.low for parameter in law.parameters]])
    high = np.array([[parameter.high for parameter in law.parameters]])
    return _to_solver(law, low)[0], _to_solver(law, high)[0]


def _is_log(law: AbstractLaw) -> NDArray[np.bool_]:
    return np.array([parameter.scale == "log" for parameter in law.parameters])


def _to_solver(law: AbstractLaw, theta: Array) -> Array:
    logs = _is_log(law)
    return np.where(logs, np.log(np.where(logs, theta, 1.0)), theta)


def _from_solver(law: AbstractLaw, phi: Array) -> Array:
    logs = _is_log(law)
    return np.where(logs, np.exp(np.where(logs, phi, 0.0)), phi)


def _chain(law: AbstractLaw, theta: Array) -> Array:
    """Derivative of parameters by solver coordinates, (B, p)."""
    return np.where(_is_log(law), theta, 1.0)
