"""Information criteria: how well a law describes the runs, its parameters paid for.

The likelihood is that of the noise whose best fit the loss function is. Huber's loss h with
threshold delta is the log density of p(r) = exp(−h(r)/t)/Z(t) for every t, with

    Z(t) = sqrt(2·pi·t)·erf(delta/sqrt(2·t)) + (2·t/delta)·exp(−delta²/(2·t)),

normal where |r| ≤ delta, exponential beyond (Huber 1964); squares are its limit. The fit does not
depend on t, so t is fitted to the residuals afterwards and counts as one parameter.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import fminbound
from scipy.special import erf

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Array

PERFECT = 1e-300


@dataclass(frozen=True)
class Criteria:
    """Criteria of one law on one table; lower is better, only differences mean anything.

    Args:
        log_likelihood: maximum of the log likelihood of the log residuals.
        n_parameters: of the law, plus one for the noise.
        n_runs: runs fitted.
    """

    log_likelihood: float
    n_parameters: int
    n_runs: int

    @property
    def aic_c(self) -> float:
        """Akaike's criterion with Hurvich and Tsai's small-sample term; infinite if n ≤ k + 1."""
        k, n = self.n_parameters, self.n_runs
        if n <= k + 1:
            return float("inf")
        return 2 * k - 2 * self.log_likelihood + 2 * k * (k + 1) / (n - k - 1)

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return self.n_parameters * float(np.log(self.n_runs)) - 2 * self.log_likelihood


def measure_criteria(residuals: Array, objective: Objective, n_parameters: int) -> Criteria:
    """Compute the criteria of a fit.

    Args:
        residuals: (n_runs,) of the fit that minimises the objective.
        objective: squared or Huber.
        n_parameters: of the law.

    >>> squares = measure_criteria(np.array([-1.0, 1.0, -1.0, 1.0]), Objective("squared"), 1)
    >>> round(squares.log_likelihood, 6)  # −n/2·(log(2·pi·s²) + 1) with s = 1
    -5.675754
    """
    total, n = float(objective.value(residuals).sum()), len(residuals)
    return Criteria(_log_likelihood(total, n, objective), n_parameters + 1, n)


def _log_likelihood(total: float, n: int, objective: Objective) -> float:
    """Maximum over t of −total/t − n·log Z(t)."""
    total = max(total, PERFECT)
    if objective.kind == "squared":
        return -n / 2 * float(np.log(4 * np.pi * total / n) + 1)

    def negative(log_t: float) -> float:
        t = float(np.exp(log_t))
        return total / t + n * _log_normaliser(t, objective.threshold)

    scale = float(np.log(total / n))
    best: Any = fminbound(negative, scale - 5, scale + 5)
    return -negative(float(best))


def _log_normaliser(t: float, delta: float) -> float:
    inner = np.sqrt(2 * np.pi * t) * erf(delta / np.sqrt(2 * t))
    return float(np.log(inner + 2 * t / delta * np.exp(-(delta**2) / (2 * t))))
