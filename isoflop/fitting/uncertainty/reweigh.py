"""Least squares whose runs weigh as much as they are precise.

Where the noise has no outliers but shrinks as the loss falls, a robust loss takes the noisy runs
for outliers and least squares lets them lead. Both are put right by weights 1/s(L)², with s(L)
measured from the residuals, and by intervals that do not lean on s(L) being exact (HC3; Romano &
Wolf 2017, Journal of Econometrics 197, 1: resurrecting weighted least squares).
"""

from dataclasses import dataclass, replace

import numpy as np

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Array, Problem, Solution, minimise
from isoflop.fitting.uncertainty.intervals import Interval
from isoflop.fitting.uncertainty.noise import NoiseProfile, profile_noise
from isoflop.fitting.uncertainty.tangent import Tangent, touch

ROUNDS = 2
"""Times the weights are measured and used; a third moves no digit that matters."""


@dataclass(frozen=True)
class Weighted:
    """A least-squares fit with measured weights.

    Args:
        problem: law, runs and squared loss.
        weights: (n,) weights of the runs, 1 on average.
        power: k of noise ∝ response^k.
        found: the solution, one row.
    """

    problem: Problem
    weights: Array
    power: float
    found: Solution


def should_weigh(
    tangent: Tangent, profile: NoiseProfile, interval: Interval, asked: Objective
) -> bool:
    """Whether a fit by the automatic loss is better redone with measured weights.

    Args:
        tangent: the fit.
        profile: its noise.
        interval: what its intervals should rest on.
        asked: loss asked for; only the one that measures its own threshold may change.
    """
    uneven = interval.estimator == "hc3" and interval.chosen and profile.n_outliers == 0
    enough = len(tangent.residuals) > 4 * len(tangent.theta)
    return asked.measured and asked.scale == "log" and uneven and enough


def fit_weighted(tangent: Tangent, profile: NoiseProfile) -> Weighted:
    """Refit by weighted least squares, from a fit and its noise.

    Args:
        tangent: the fit.
        profile: its noise.
    """
    squares = Objective("squared", scale=tangent.problem.objective.scale)
    problem = replace(tangent.problem, objective=squares)
    weights = weights_of(profile)
    power, found = profile.power, minimise(problem, tangent.theta[None], weights)
    for _ in range(ROUNDS - 1):
        profile = profile_noise(touch(problem, found.theta[0]))
        weights, power = weights_of(profile), profile.power
        found = minimise(problem, found.theta, weights)
    return Weighted(problem, weights, power, found)


def weights_of(profile: NoiseProfile) -> Array:
    """Weights 1/s² with mean 1, (n,)."""
    precision = (profile.size / profile.size.min()) ** -2.0
    return precision / np.mean(precision)
