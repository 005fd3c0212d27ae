"""The robust loss: how far off a run must be to have no say, and the way to its minimum.

An M-estimator with Tukey's biweight, its scale fixed beforehand from a Huber fit, which has one
basin and half of whose runs may be wrong before its median residual is (Maronna, Martin, Yohai
& Salibián-Barrera 2019, Robust Statistics, sections 4.4 and 5.5: MM-estimators).
"""

from dataclasses import replace

import numpy as np

from isoflop.fitting.objective import HUBER_DELTA, Objective
from isoflop.fitting.solve.search import search
from isoflop.fitting.solve.solver import Array, Problem, Solution
from isoflop.runs.checks import Finding

EFFICIENT = 4.685
"""Threshold in standard deviations at which the biweight keeps 95 % of least squares' efficiency
under normal noise; Maronna et al. 2019, section 2.2."""
NORMAL_MEDIAN = 0.6745
"""Median of |z| of a standard normal z."""
PERFECT = 1e-7
"""Robust standard deviation taken for runs that a law fits without noise."""
MINIMA = 16
"""Huber's minima from which the way goes on to the robust loss, the lowest ones."""


def robust_scale(residuals: Array, n_parameters: int) -> float:
    """Standard deviation of the residuals' bulk, whatever the outliers do.

    The median of the n − p largest |r|, over .6745: a fit by absolute residuals passes through p
    of its runs exactly, and those say nothing about noise (Maronna et al. 2019, section 4.4.2).

    Args:
        residuals: (n,) float.
        n_parameters: p.

    >>> robust_scale(np.array([0.0, 0.0, -1.0, 1.0, 50.0]), 2).__round__(3)
    1.483
    """
    size = np.sort(np.abs(residuals))[min(n_parameters, len(residuals) - 1) :]
    return float(np.median(size)) / NORMAL_MEDIAN


def solve(problem: Problem, starts: Array) -> tuple[Problem, Solution]:
    """Minimise from every start; a robust loss without a threshold first measures its own.

    Args:
        problem: law, runs and objective.
        starts: (B, p) parameters.

    Returns:
        The problem with its threshold known, and one solution a start.
    """
    every = np.ones(len(problem.measured))
    if not problem.objective.measured:
        return problem, search(problem, starts, every)
    scale = problem.objective.scale
    unit = 1.0 if scale != "linear" else max(float(np.std(problem.measured)), 1e-300)
    huber = replace(problem, objective=Objective("huber", HUBER_DELTA * unit, scale))
    first = search(huber, starts, every)
    if not np.isfinite(first.objective).any():
        return huber, first
    best = first.theta[int(np.argmin(first.objective))]
    residuals = problem.residuals(best[None])[0]
    size = max(robust_scale(residuals, len(best)), PERFECT * unit)
    problem = replace(problem, objective=Objective("robust", EFFICIENT * size, scale))
    return problem, _go_on(problem, first, every)


def _go_on(problem: Problem, first: Solution, weights: Array) -> Solution:
    """Go on from each of the lowest minima found, once however many starts had reached it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        basin = np.round(np.log(first.objective), 6)
    _, leaders, member = np.unique(basin, return_index=True, return_inverse=True)
    found = search(problem, first.theta[leaders[:MINIMA]], weights)
    beyond = member >= MINIMA
    row = np.where(beyond, 0, member)
    return Solution(
        theta=np.where(beyond[:, None], first.theta, found.theta[row]),
        objective=np.where(beyond, np.inf, found.objective[row]),
        converged=found.converged[row] & ~beyond,
        at_bound=found.at_bound[row],
        given_up=found.given_up[row] | first.given_up | beyond,
    )


def check_set_aside(objective: Objective, residuals: Array, names: list[str]) -> list[Finding]:
    """Report the runs so far off that a robust loss gave them no say.

    Args:
        objective: what was minimised.
        residuals: (n_runs,) predicted − measured.
        names: (n_runs,) names of the runs.

    Returns:
        No finding, or one.
    """
    if objective.kind != "robust" or objective.measured:
        return []
    aside = np.flatnonzero(np.abs(residuals) > objective.threshold)
    if not len(aside):
        return []
    above = int(np.sum(residuals[aside] < 0))
    limit = f"{100 * objective.threshold:.2g} %" if objective.scale == "log" else "the threshold"
    return [
        Finding(
            code="runs-set-aside",
            severity="warning",
            evidence=f"{len(aside)} of {len(residuals)} runs lie more than {limit} off the law, "
            f"{above} of them above it, and have no say in the fit",
            consequence="if they are right, the law is wrong; least squares would follow them",
            remedy="look at them (diverged, undertuned, misread?); compare with --loss huber",
            runs=tuple(names[i] for i in aside.tolist()),
        )
    ]
