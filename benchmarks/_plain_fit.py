"""The plain way: Hoffmann's procedure as most notebooks have it, one scipy call a start.

L-BFGS-B with scipy's defaults and differences for derivatives, from the 4,500 starts of Hoffmann
et al. 2022, section D.3, on the sum of Huber losses (their 1e-3) of log loss; the sum, because on
the mean it stops at once (Besiroglu et al. 2024). x = (a, b, e, alpha, beta) with A = e^a, B = e^b
and E = e^e.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from isoflop.fitting.solve.problem import Problem

GRID = np.array(
    list(
        itertools.product(
            np.arange(0.0, 30.0, 5.0),
            np.arange(0.0, 30.0, 5.0),
            np.arange(-1.0, 1.5, 0.5),
            np.arange(0.0, 2.5, 0.5),
            np.arange(0.0, 2.5, 0.5),
        )
    )
)
"""(4500, 5) starts."""


@dataclass(frozen=True)
class PlainFit:
    """What the plain way found.

    Args:
        values: (n_starts,) objective reached from each start.
        evaluations: of the objective, in all.
        best: (5,) x of the lowest.
    """

    values: np.ndarray
    evaluations: int
    best: np.ndarray


def fit_plainly(problem: Problem, starts: np.ndarray, weights: np.ndarray) -> PlainFit:
    """Minimise from every start, one after the other."""
    log_N = np.log(problem.variables["n_params"])
    log_D = np.log(problem.variables["n_tokens"])
    log_loss = np.log(problem.measured)
    losses = problem.objective

    def total(x: np.ndarray) -> float:
        terms = [x[0] - x[3] * log_N, x[1] - x[4] * log_D, np.full_like(log_N, x[2])]
        return float(weights @ losses.value(logsumexp(terms, axis=0) - log_loss))

    found = [minimize(total, start, method="L-BFGS-B") for start in starts]
    values = np.array([result.fun for result in found])
    evaluations = sum(result.nfev for result in found)
    return PlainFit(values, evaluations, found[int(np.argmin(values))].x)


def to_plain(theta: np.ndarray) -> np.ndarray:
    """Coordinates of E, A, B, alpha, beta."""
    E, A, B, alpha, beta = theta
    return np.array([np.log(A), np.log(B), np.log(E), alpha, beta])
