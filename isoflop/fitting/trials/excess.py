"""How far hidden runs lie from the law of the others, robustly, with its standard error.

The fit is by the loss asked for, robust by default; the mean of the hidden runs is Huber's with a
threshold of 1.345 robust standard deviations, so that one-sided outliers raise no alarm, and runs
that break, unlike in a biweight's mean, are never set aside. Legend: n runs fitted, h hidden, p
parameters; excess = log measured − log predicted, positive where the law is too optimistic.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri, stdtrit

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.robust import robust_scale, solve
from isoflop.fitting.solve.solver import Problem
from isoflop.fitting.uncertainty.covariance import inverse_gram
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.table import RunTable

TUNING = 1.345
"""Huber's threshold in standard deviations: 95 % efficient under normal noise (Huber 1981)."""
ALARM = 0.05
"""False alarms of a law that holds."""
POWER = 0.8
"""Chance with which the smallest detectable break is seen."""
ROUNDS = 200
"""Of the reweighted mean."""
LEAST_BEND = 0.05
"""Mean curvature of the loss below which no noise can be read from it."""
PERFECT = 1e-12
"""Noise assumed where there is none, so that an exact law divides by something."""


def measure_excess(
    small: Problem, large: Problem, start: Array, *, shared: float = 0.0
) -> tuple[float, float, Array]:
    """Mean log excess of the large runs over the law of the small ones, and its standard error.

    Args:
        small: law, the runs fitted, and the loss of their log residuals.
        large: the same law and the runs hidden.
        start: (p,) fit of the small runs, or near it.
        shared: correlation of hidden runs that share a size, times how many do less one.

    Returns:
        Excess, standard error, and the (p,) fit of the small runs.
    """
    small, found = solve(small, start[None])
    theta = found.theta
    residuals = small.residuals(theta)[0]
    variance = _noise_variance(small.objective, residuals, len(start))
    covariance = variance * inverse_gram(small.jacobian(theta)[0])
    slope = large.jacobian(theta)[0].mean(axis=0)
    monotone = _monotone(small.objective, residuals, len(start))
    noise = _noise_variance(monotone, residuals, len(start))
    excess = _centre(monotone, -large.residuals(theta)[0])
    spread = slope @ covariance @ slope + noise * (1 + shared) / large.n_runs
    return excess, float(np.sqrt(max(spread, PERFECT**2))), theta[0]


def detectable_excess(
    law: AbstractLaw,
    theta: Array,
    fitted: Mapping[str, Array],
    hidden: Mapping[str, Array],
    *,
    noise: float,
) -> float:
    """Smallest break that a design would see four times in five, before any run is bought.

    Args:
        law: the form.
        theta: (p,) its parameters, roughly.
        fitted: {variable: (n,)} of the runs to be fitted.
        hidden: {variable: (h,)} of the runs to be hidden, the largest ones.
        noise: standard deviation of one run's log loss; .003 to .008 on real tables.

    Returns:
        Relative excess of the hidden runs' loss.

    >>> from isoflop.laws.power import PowerLaw
    >>> few, many = ({"flops": np.geomspace(1e17, 1e19, n)} for n in (5, 50))
    >>> ahead, theta = {"flops": np.geomspace(3e19, 1e20, 5)}, np.array([30.0, 0.05])
    >>> [
    ...     round(detectable_excess(PowerLaw("flops"), theta, runs, ahead, noise=0.005), 4)
    ...     for runs in (few, many)
    ... ]
    [0.0205, 0.0079]
    """
    n, h = (len(next(iter(runs.values()))) for runs in (fitted, hidden))
    small = Problem(law, fitted, np.ones(n), Objective("squared"))
    large = Problem(law, hidden, np.ones(h), Objective("squared"))
    slope = large.jacobian(theta[None])[0].mean(axis=0)
    parameters = slope @ inverse_gram(small.jacobian(theta[None])[0]) @ slope
    return float(np.expm1(sure_excess(n - len(theta)) * noise * np.sqrt(parameters + 1 / h)))


def sure_excess(freedom: int) -> float:
    """Standard errors of a break that is seen four times in five with 5 % false alarms.

    >>> round(sure_excess(10**6), 2)
    2.49
    """
    return float(stdtrit(freedom, 1 - ALARM) + ndtri(POWER))


def shared_noise(table: RunTable, small: Problem, theta: Array, fitted: np.ndarray) -> float:
    """Correlation of runs of one size times (hidden runs a size − 1), by analysis of variance.

    Args:
        table: the runs, fitted and hidden.
        small: law and fitted runs.
        theta: (p,) their fit.
        fitted: (n_runs,) bool, which runs were fitted.
    """
    if "n_params" not in table:
        return 0.0
    N = table.numbers("n_params")
    sizes, member, count = np.unique(N[fitted], return_inverse=True, return_counts=True)
    n, k = int(fitted.sum()), len(sizes)
    if k < 3 or n - k < 3:
        return 0.0
    residuals = small.residuals(theta[None])[0]
    means = np.bincount(member, residuals) / count
    within = float(np.sum((residuals - means[member]) ** 2)) / (n - k)
    between = float(np.sum(count * means**2)) / max(1, k - 3)
    usual = (n - float(np.sum(count**2)) / n) / (k - 1)
    shared = max(0.0, (between - within) / usual)
    correlation = shared / max(shared + within, PERFECT**2)
    return correlation * (int((~fitted).sum()) / len(np.unique(N[~fitted])) - 1)


def _noise_variance(objective: Objective, residuals: Array, p: int) -> float:
    """Variance of one run as an M-estimate feels it (Huber 1981, eq. 7.6.6).

    K²·sum psi(r)² / (n − p) / mean(psi')², K = 1 + p/n·var(psi')/mean(psi')², psi the slope of
    the loss.
    """
    slope = residuals * objective.slope_over_residual(residuals)
    bend = objective.curvature(residuals)
    n, mean = len(residuals), max(float(bend.mean()), LEAST_BEND)
    correction = 1 + p / n * float(bend.var()) / mean**2
    return float(correction**2 * (slope @ slope) / (n - p) / mean**2)


def _monotone(objective: Objective, residuals: Array, p: int) -> Objective:
    """Loss by which the hidden runs' centre is found: squares, or Huber's by the noise measured.

    Not the fit's own, which may give runs far off no say: it would set aside those that break.
    """
    if objective.kind == "squared":
        return objective
    size = robust_scale(residuals, p)
    return Objective("huber", TUNING * max(size, PERFECT))


def _centre(objective: Objective, values: Array) -> float:
    """Centre of the hidden runs' excesses by a loss, from their median."""
    centre = float(np.median(values))
    for _ in range(ROUNDS):
        weights = objective.slope_over_residual(values - centre)
        centre, before = float(weights @ values / weights.sum()), centre
        if abs(centre - before) <= 1e-12 * min(objective.threshold, 1.0):
            break
    return centre
