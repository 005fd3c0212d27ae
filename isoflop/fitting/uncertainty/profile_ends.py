"""Intervals by profile likelihood: how far each constant can go before the runs rule it out.

A constant is moved outwards, the others refitted at every step, until the likelihood ratio passes
its limit, which is then closed in on; where it never does up to the law's own bound, that end is
open. Legend: p parameters, u the constant in solver coordinates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from isoflop.base.estimate import LEVEL, Estimate, shorten
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.fitting.uncertainty.axes import EXPONENTS, Axis, axes_of
from isoflop.fitting.uncertainty.profile import rise_per_error
from isoflop.laws.law import AbstractLaw
from isoflop.runs.finding import Finding

SHARE, GROWTH = 0.25, 1.5
"""First step, in distances at which a parabola would pass the limit, and growth of the steps: where
what is ruled out lies between values that are not, a long step would jump over it."""
CLOSE = 1e-4
"""Relative distance of the root of the ratio from that of its limit at which an end is found."""
MOST_STEPS, MOST_CUTS = 60, 40


@dataclass(frozen=True)
class Ratio:
    """Root of the likelihood ratio, by refits.

    Args:
        problem: law, runs and objective, its threshold known.
        axis: what is held.
        lowest: objective at the optimum.
        unit: its rise of one standard error squared.
    """

    problem: Problem
    axis: Axis
    lowest: float
    unit: float

    def at(self, u: float, start: Array) -> tuple[float, Array]:
        """Root of the ratio with the quantity held at u, and the other constants there."""
        value, every = self.axis.leave(u), np.ones(self.problem.n_runs)
        if self.axis.held is None:
            objective = float(self.problem.value(np.array([[value]]), every)[0])
            return self._root(objective), start
        posed = Problem(
            self.axis.held(value),
            self.problem.variables,
            self.problem.measured,
            self.problem.objective,
        )
        found = minimise(posed, np.stack([start, self.axis.others]), every)
        best = int(np.argmin(found.objective))
        return self._root(float(found.objective[best])), found.theta[best]

    def _root(self, objective: float) -> float:
        return float(np.sqrt(max(objective - self.lowest, 0.0) / self.unit))


def profile_constants(
    problem: Problem, theta: Array, *, level: float = LEVEL
) -> dict[str, Estimate]:
    """Find the interval of every constant, and of the optimum's exponents, by profile likelihood.

    The noise is taken to be even and independent from run to run: F(1, n − p) is the ratio's
    distribution, exactly so for least squares of a linear law.

    Args:
        problem: law, runs and objective, its threshold known.
        theta: (p,) the fit.
        level: confidence level.

    Returns:
        {name: estimate}; an end is None where nothing is ruled out up to the law's own bound.
        a and b of N_opt ∝ C^a, D_opt ∝ C^b where a = beta/(alpha + beta).
    """
    lowest = float(problem.value(theta[None], np.ones(problem.n_runs))[0])
    unit, freedom = rise_per_error(problem, theta)
    limit = float(np.sqrt(fdtri(1, freedom, level)))
    found: dict[str, Estimate] = {}
    for axis in axes_of(problem, theta):
        ratio = Ratio(problem, axis, lowest, max(unit, 1e-300))
        low, high = (_find_end(ratio, limit, side) for side in (-1, 1))
        found[axis.name] = Estimate(axis.best, low, high, level)
    if "a" in found:
        a = found["a"]
        low, high = (None if end is None else 1 - end for end in (a.high, a.low))
        found["b"] = Estimate(1 - a.value, low, high, level)
    return found


def show_ends(estimate: Estimate) -> str:
    """Write an interval by profile, whose ends may be open.

    >>> show_ends(Estimate(95.4, 4.7, None))
    '95.4 [4.70, no upper bound]'
    """
    if estimate.low is not None and estimate.high is not None:
        return str(estimate)
    low = "no lower bound" if estimate.low is None else shorten(estimate.low)
    high = "no upper bound" if estimate.high is None else shorten(estimate.high)
    return f"{shorten(estimate.value)} [{low}, {high}]"


def judge_profiles(law: AbstractLaw, profiles: Mapping[str, Estimate]) -> list[Finding]:
    """Report constants that the runs bound on one side only, or not at all."""
    bounds = {p.name: (p.low, p.high) for p in law.parameters}
    said = []
    for name, estimate in profiles.items():
        low, high = bounds.get(name, EXPONENTS)
        if name == "b" or (estimate.low is not None and estimate.high is not None):
            continue
        if estimate.low is None and estimate.high is None:
            said.append(f"{name} anywhere from {shorten(low)} to {shorten(high)}")
        elif estimate.low is not None:
            said.append(f"{name} anywhere from {shorten(estimate.low)} up to {shorten(high)}")
        elif estimate.high is not None:
            said.append(f"{name} anywhere from {shorten(estimate.high)} down to {shorten(low)}")
    if not said:
        return []
    level = next(iter(profiles.values())).level
    return [
        Finding(
            code="constant-not-bounded",
            severity="warning",
            evidence=f"nothing rules out {'; '.join(said)} ({100 * level:g} %)",
            consequence="the best value of such a constant is one of many that fit as well",
            remedy="report the bounded side alone, hold the constant (--fix), or add runs where "
            "it matters",
        )
    ]


def _find_end(ratio: Ratio, limit: float, side: int) -> float | None:
    """Value at which the ratio passes its limit on one side; None if nowhere within bounds."""
    axis = ratio.axis
    centre, start = axis.enter(axis.best), axis.others
    edge = axis.enter(axis.high if side > 0 else axis.low)
    inner, below, width = centre, 0.0, axis.step * limit * SHARE
    for _ in range(MOST_STEPS):
        outer = centre + side * width
        at_edge = side * (outer - edge) >= 0
        outer = edge if at_edge else outer
        above, there = ratio.at(outer, start)
        if above > limit:
            return axis.leave(_close_in(ratio, limit, (inner, below), (outer, above), start))
        if at_edge:
            return None
        inner, below, start, width = outer, above, there, GROWTH * width
    return None


def _close_in(
    ratio: Ratio,
    limit: float,
    inner: tuple[float, float],
    outer: tuple[float, float],
    start: Array,
) -> float:
    """Coordinate where the root of the ratio is the limit, by false position (Illinois)."""
    (u, low), (v, high) = inner, outer
    low, high = low - limit, high - limit
    side = 0
    for cut in range(MOST_CUTS):
        share = low / (low - high) if np.isfinite(high) and cut % 5 < 4 else 0.5
        at = u + share * (v - u)
        root, there = ratio.at(at, start)
        off = root - limit
        if abs(off) < CLOSE * limit:
            return at
        if off > 0:
            v, high = at, off
            low = low / 2 if side > 0 else low
        else:
            u, low, start = at, off, there
            high = high / 2 if side < 0 else high
        side = 1 if off > 0 else -1
    return (u + v) / 2
