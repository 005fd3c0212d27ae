"""From a minimum to a fit one can trust: look at its noise, mend its weights, draw its spread."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.fitting.uncertainty.intervals import Estimator, profiled, uneven_reason
from isoflop.fitting.uncertainty.reweigh import fit_weighted, should_weigh
from isoflop.fitting.uncertainty.tangent import touch
from isoflop.fitting.uncertainty.uncertainty import (
    Uncertainty,
    diagnose,
    fall_back,
    measure_uncertainty,
)


@dataclass(frozen=True)
class Minimum:
    """Where a solver ended.

    Args:
        problem: law, runs and objective, whose threshold is known.
        theta: (p,) parameters.
        value: objective there.
        at_bound: (p,) parameters resting on a bound.
        noise_power: k of noise ∝ response^k by which runs weigh; 0 where they weigh alike.
        noise_unit: standard deviation of the noise at response 1, where runs are so weighed.
    """

    problem: Problem
    theta: Array
    value: float
    at_bound: NDArray[np.bool_]
    noise_power: float = 0.0
    noise_unit: float = 0.0


@dataclass(frozen=True)
class Asked:
    """What a user asked of the uncertainty.

    Args:
        objective: loss asked for, its threshold perhaps still to be measured.
        estimator: interval asked for, or auto.
        n_draws: draws; 0 for none.
        seed: their seed.
    """

    objective: Objective
    estimator: Estimator
    n_draws: int
    seed: int


def assess(
    minimum: Minimum, labels: Mapping[str, list[str]], asked: Asked, *, determined: bool = True
) -> tuple[Minimum, Uncertainty]:
    """Choose how a fit's noise is to be treated, and treat it so.

    Args:
        minimum: the minimum of the loss.
        labels: {column: (n_runs,) labels} of groups of runs that may share noise.
        asked: loss and interval asked for.
        determined: whether the runs leave no direction free.

    Returns:
        The minimum, moved where the runs are better weighed, and its uncertainty.

    Raises:
        InputError: the interval needs groups and there are none.
    """
    diagnosis = diagnose(touch(minimum.problem, minimum.theta), labels, asked.estimator)
    if not determined:
        diagnosis = fall_back(diagnosis)
    elif asked.estimator != "profile" and should_weigh(
        diagnosis.tangent, diagnosis.profile, diagnosis.interval, asked.objective
    ):
        better = fit_weighted(diagnosis.tangent, diagnosis.profile)
        theta = better.found.theta[0]
        tangent = touch(better.problem, theta, better.weights)
        measured = replace(diagnosis.profile, power=better.power)
        interval = replace(diagnosis.interval, reason=uneven_reason(tangent, measured))
        diagnosis = replace(diagnosis, tangent=tangent, interval=interval)
        predicted = better.problem.law.predict(theta, better.problem.variables)
        even = better.problem.residuals(theta[None])[0] / predicted**better.power
        minimum = Minimum(
            better.problem,
            theta,
            float(better.found.objective[0]),
            better.found.at_bound[0],
            better.power,
            float(np.sqrt(even @ even / tangent.freedom)),
        )
    spread = measure_uncertainty(diagnosis, n_draws=asked.n_draws, seed=asked.seed)
    if asked.estimator == "profile":
        spread = replace(spread, interval=profiled(spread.interval))
    return minimum, spread
