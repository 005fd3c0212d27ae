"""Minimise many weighted fits of one law at once, batched in NumPy.

Starts and bootstrap resamples are the same thing to the solver: rows of a batch, each with its
own parameters, its own weights on the runs and, if need be, its own measured losses. No row
knows of another, so that what a row finds does not depend on the rows beside it.

Legend: B batch, n runs, p parameters.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.solve.coordinates import part_terms, shift_in_solver, sort_terms
from isoflop.fitting.solve.descent import GRADIENT_TOLERANCE, State, descend
from isoflop.fitting.solve.problem import Batch, Problem, pose_batch
from isoflop.laws.law import Array

__all__ = ["Array", "Outcome", "Problem", "Solution", "minimise", "shift_in_solver"]


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
        given_up: (B,) rows left on the way because others were lower.
    """

    theta: Array
    objective: Array
    converged: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]
    given_up: NDArray[np.bool_]


@np.errstate(all="ignore")
def minimise(
    problem: Problem, starts: Array, weights: Array, *, tolerance: float = GRADIENT_TOLERANCE
) -> Solution:
    """Minimise from every start.

    Args:
        problem: law, runs and loss function; with losses (B, n), row b is fitted to row b.
        starts: (B, p) parameters within bounds. Constants the law is linear in are solved for at
            once, so that theirs matter only where they are better than the solved ones.
        weights: (n,) or (B, n) non-negative weights of the runs.
        tolerance: largest projected gradient at convergence, relative to curvature and objective.

    Returns:
        One solution a start; never worse than the start. Where a trial overflows, its objective
        is infinite and the step is not taken.
    """
    starts = np.atleast_2d(np.asarray(starts, dtype=np.float64))
    batch = pose_batch(problem, np.broadcast_to(weights, (len(starts), problem.n_runs)))
    solution = conclude(batch, descend(batch, starts, tolerance))
    rows, parted = part_terms(problem.law, solution.theta)
    if rows.size:
        again = conclude(batch.take(rows), descend(batch.take(rows), parted, tolerance))
        replace_higher(solution, rows, again)
    return solution


def conclude(batch: Batch, state: State) -> Solution:
    """Bring where the rows stand to the law's own units and one order of its terms."""
    space, phi = batch.space, state.phi
    resting = (phi <= space.floor + 1e-9) | (phi >= space.ceiling - 1e-9)
    theta = space.leave(phi)
    order = sort_terms(batch.problem.law, theta)
    return Solution(
        theta=np.take_along_axis(theta, order, axis=1),
        objective=state.picture.value,
        converged=state.converged,
        at_bound=np.take_along_axis(resting, order, axis=1),
        given_up=np.zeros(len(phi), dtype=bool),
    )


def replace_higher(solution: Solution, rows: NDArray[np.intp], again: Solution) -> None:
    """Overwrite the rows whose second descent went lower."""
    lower = again.objective < solution.objective[rows]
    solution.theta[rows[lower]] = again.theta[lower]
    solution.objective[rows[lower]] = again.objective[lower]
    solution.converged[rows[lower]] = again.converged[lower]
    solution.at_bound[rows[lower]] = again.at_bound[lower]
