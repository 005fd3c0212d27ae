"""The answer with a fault and without: refits of the surface to corrected runs.

Legend: N parameters, D tokens, C = 6ND FLOPs, L loss; r residual log L − log L̂; q a fault's shape.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.fitting.starts import search_starts
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case, Mask
from isoflop.plan.checkup.diagnosis import Shift
from isoflop.plan.optimum.deadweight import deadweight_compute
from isoflop.plan.optimum.optimum import optimal_params

LAW = ChinchillaLaw()
STEPS = 12
"""Gauss-Newton steps for the size of a fault; three suffice unless it is large."""


@dataclass(frozen=True)
class Effect:
    """The size of a fault of known shape, fitted beside the surface.

    Args:
        size: c of L = L̂·exp(c·q), or of L = L̂ + c·q.
        stderr: its standard error, the larger of that of independent runs and of sizes that
            share their noise.
        theta: (5,) the surface without it.
    """

    size: float
    stderr: float
    theta: Array


def refit(
    case: Case,
    *,
    n_params: Array | None = None,
    n_tokens: Array | None = None,
    loss: Array | None = None,
    keep: Mask | None = None,
) -> Array:
    """Fit the surface by least squares to the steady runs, some of their columns replaced.

    Args:
        case: the case, with a surface to start from.
        n_params: (n_runs,) of all usable runs, as are the others.
        n_tokens: likewise.
        loss: likewise.
        keep: (n_runs,) bool, the runs to use instead of the steady ones.
    """
    assert case.fit is not None
    rows = case.steady if keep is None else keep
    given = (n_params, n_tokens, loss)
    names = ("n_params", "n_tokens", "loss")
    N, D, L = (
        (case.numbers(name) if column is None else column)[rows]
        for name, column in zip(names, given, strict=True)
    )
    problem = Problem(LAW, {"n_params": N, "n_tokens": D}, L, Objective("squared"))
    solution = minimise(problem, case.fit.theta[None], np.ones(len(L)))
    if solution.converged[0]:
        return solution.theta[0]
    _, found, best = search_starts(problem, None, 0)
    return found.theta[best]


def shift(case: Case, found: Array, corrected: Array) -> Shift | None:
    """Say what a plan from one surface costs where the other is right.

    Args:
        case: the case, for its target.
        found: (5,) the surface with the fault.
        corrected: (5,) without.

    Returns:
        None where a surface has no optimum that a model could have.
    """
    try:
        n_found, n_right = (optimal_params(LAW, t, case.flops)[0] for t in (found, corrected))
    except IsoflopError:
        return None
    return shift_of_size(
        case, (exponent(found), n_found), (exponent(corrected), n_right), corrected
    )


def shift_of_size(
    case: Case, found: tuple[float, float], right: tuple[float, float], theta: Array
) -> Shift:
    """The same from (a, N*) of both, priced on the surface `theta` (5,)."""
    waste = deadweight_compute(LAW, theta, found[1] / right[1] * _optimum(case, theta), case.flops)
    return Shift(found[0], right[0], found[1], right[1], case.flops, waste)


def exponent(theta: Array) -> float:
    """Hoffmann's a = beta/(alpha + beta)."""
    return float(theta[4] / (theta[3] + theta[4]))


def estimate_effect(
    case: Case, shape: Array, *, additive: bool = False, keep: Mask | None = None
) -> Effect:
    """Estimate the size of a fault together with the surface, by Gauss-Newton.

    Args:
        case: the case.
        shape: (n_runs,) q, of all usable runs.
        additive: whether the fault adds nats rather than a share of the loss.
        keep: (n_runs,) bool, the runs to use instead of the steady ones.
    """
    assert case.fit is not None
    chosen = case.steady if keep is None else keep
    loss, size, theta = case.numbers("loss"), 0.0, case.fit.theta
    stderr = np.inf
    for _ in range(STEPS):
        corrected = loss - size * shape if additive else loss * np.exp(-size * shape)
        theta = refit(case, loss=np.maximum(corrected, 1e-6), keep=chosen)
        q = shape / loss if additive else shape
        step, stderr = _step(case, theta, corrected, q, chosen)
        size += step
        if abs(step) < 1e-9 + 1e-4 * abs(size):
            break
    return Effect(size, stderr, theta)


def trend(case: Case, shape: Array) -> float:
    """Score of a fault's shape in the residuals: its size over its standard error."""
    assert case.fit is not None
    step, stderr = _step(case, case.fit.theta, case.numbers("loss"), shape, case.steady)
    return step / stderr if stderr > 0 else 0.0


def _step(case: Case, theta: Array, loss: Array, shape: Array, rows: Mask) -> tuple[float, float]:
    """Size of a shape in the residuals, the surface's own directions taken out, and its error."""
    runs = {name: case.numbers(name)[rows] for name in ("n_params", "n_tokens")}
    problem = Problem(LAW, runs, loss[rows], Objective("squared"))
    jacobian, r = problem.jacobian(theta[None])[0], -problem.residuals(theta[None])[0]
    q = shape[rows] - jacobian @ (np.linalg.pinv(jacobian) @ shape[rows])
    power = float(q @ q)
    if power < 1e-12 * float(shape[rows] @ shape[rows]) + 1e-300:
        return 0.0, np.inf  # the surface can follow this shape whole
    size = float(q @ r) / power
    rest = r - size * q
    freedom = max(1, len(r) - len(theta) - 1)
    even = float(rest @ rest) / freedom / power
    _, member = np.unique(runs["n_params"], return_inverse=True)
    scores = np.bincount(member, q * rest)
    grouped = float(scores @ scores) / power**2 * len(scores) / max(1, len(scores) - 1)
    return size, float(np.sqrt(max(even, grouped)))


def _optimum(case: Case, theta: Array) -> float:
    return optimal_params(LAW, theta, case.flops)[0]
