"""Profile likelihood: hold one constant, refit the rest, and see what the runs rule out.

Where a parameter is hardly determined its curvature at the optimum says little; its profile says
whether the runs bound it at all, and from which side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from isoflop.base.errors import UnknownNameError
from isoflop.base.estimate import LEVEL, Estimate, shorten
from isoflop.fitting.solve.robust import robust_scale
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.laws.fixed import fix_constants


@dataclass(frozen=True)
class Profile:
    """The lowest objective for each value of one constant.

    Args:
        name: the constant.
        best: its value at the optimum.
        lowest: objective there.
        values: (m,) values it was held at, rising.
        objective: (m,) lowest objective at each.
        others: (m, p − 1) the other constants there, in the law's order.
        unit: rise of the objective that is one standard error squared, to first order.
        freedom: residual degrees of freedom.
        log: whether values are interpolated in their logarithm.
    """

    name: str
    best: float
    lowest: float
    values: Array
    objective: Array
    others: Array
    unit: float
    freedom: int
    log: bool

    @property
    def ratio(self) -> Array:
        """Likelihood-ratio statistic of each value, (m,): F(1, freedom) if that were the truth."""
        return np.maximum(self.objective - self.lowest, 0.0) / self.unit

    def interval(self, level: float = LEVEL) -> Estimate:
        """Values that the runs do not rule out; an end is None where they rule out none.

        Args:
            level: confidence level.
        """
        limit = float(fdtri(1, self.freedom, level))
        at = np.log(self.values) if self.log else self.values
        centre = np.log(self.best) if self.log else self.best
        below, above = at < centre, at > centre
        low = _crossing(centre, at[below][::-1], self.ratio[below][::-1], limit)
        high = _crossing(centre, at[above], self.ratio[above], limit)
        ends = [
            None if end is None else float(np.exp(end) if self.log else end) for end in (low, high)
        ]
        return Estimate(self.best, ends[0], ends[1], level)

    def describe(self, level: float = LEVEL) -> str:
        """Say what the runs rule out."""
        found = self.interval(level)
        share = f"{100 * level:g} %"
        first, last = (shorten(float(end)) for end in (self.values[0], self.values[-1]))
        low = f"below {shorten(found.low)}" if found.low is not None else ""
        high = f"above {shorten(found.high)}" if found.high is not None else ""
        if low and high:
            return f"{self.name}: {shorten(self.best)}, ruled out {low} and {high} ({share})"
        if not low and not high:
            return (
                f"{self.name}: not identified; the best is {shorten(self.best)}, and nothing from "
                f"{first} to {last} is ruled out ({share})"
            )
        open_end = f"up to {last}" if low else f"down to {first}"
        return (
            f"{self.name}: bounded on one side only; the best is {shorten(self.best)}, ruled out "
            f"{low or high}, and nothing {open_end} beyond it ({share})"
        )


def profile_parameter(
    problem: Problem, theta: Array, name: str, values: Sequence[float] | Array
) -> Profile:
    """Hold one constant at each of several values and refit the others.

    Values are visited outwards from the optimum; each refit starts from its neighbour's and from
    the optimum's constants.

    Args:
        problem: law, runs and objective, its threshold known.
        theta: (p,) the fit.
        name: the constant.
        values: where to hold it.

    Raises:
        UnknownNameError: the law has no such constant.
    """
    names = problem.law.parameter_names
    if name not in names:
        raise UnknownNameError("constant", name, names)
    k = names.index(name)
    held = np.sort(np.asarray(values, dtype=np.float64))
    objective = np.full(len(held), np.inf)
    others = np.full((len(held), len(theta) - 1), np.nan)
    middle = int(np.searchsorted(held, theta[k]))
    for order in (range(middle - 1, -1, -1), range(middle, len(held))):
        start = np.delete(theta, k)
        for i in order:
            start, objective[i] = _refit(problem, name, float(held[i]), theta, start)
            others[i] = start
    lowest = float(problem.value(theta[None], np.ones(problem.n_runs))[0])
    unit, freedom = rise_per_error(problem, theta)
    log = problem.law.parameters[k].scale == "log"
    return Profile(name, float(theta[k]), lowest, held, objective, others, unit, freedom, log)


def rise_per_error(problem: Problem, theta: Array) -> tuple[float, int]:
    """Rise of the objective one standard error away from its minimum, and degrees of freedom.

    Σψ²/(n − p) / (2·mean ψ'), with ψ the loss's slope: for least squares half the residual
    variance. ψ' is differenced over a robust standard deviation of the mean's order, n^(−1/5),
    because Huber's with a tiny threshold is a step (Maronna et al. 2019, section 10.4).
    """
    residuals = problem.residuals(theta[None])[0]
    freedom = max(1, len(residuals) - len(theta))
    slope = residuals * problem.objective.slope_over_residual(residuals)
    width = max(robust_scale(residuals, len(theta)) * len(residuals) ** -0.2, 1e-12)
    up, down = residuals + width, residuals - width
    rise = up * problem.objective.slope_over_residual(up)
    fall = down * problem.objective.slope_over_residual(down)
    curvature = float(np.mean(rise - fall)) / (2 * width)
    return float(slope @ slope) / freedom / (2 * max(curvature, 1e-300)), freedom


def _refit(
    problem: Problem, name: str, value: float, theta: Array, start: Array
) -> tuple[Array, float]:
    names = problem.law.parameter_names
    weights = np.ones(problem.n_runs)
    if len(names) == 1:
        return start, float(problem.value(np.array([[value]]), weights)[0])
    law = fix_constants(problem.law, {name: value})
    held = Problem(law, problem.variables, problem.measured, problem.objective)
    starts = np.stack([start, np.delete(theta, names.index(name))])
    found = minimise(held, starts, weights)
    best = int(np.argmin(found.objective))
    return found.theta[best], float(found.objective[best])


def _crossing(centre: float, at: Array, ratio: Array, limit: float) -> float | None:
    """Where the ratio first exceeds the limit, going outwards, by its root; None if nowhere."""
    beyond = np.flatnonzero(ratio > limit)
    if not beyond.size:
        return None
    i = int(beyond[0])
    before, root = (at[i - 1], np.sqrt(ratio[i - 1])) if i else (centre, 0.0)
    share = (np.sqrt(limit) - root) / (np.sqrt(ratio[i]) - root)
    return float(before + share * (at[i] - before))
