"""Misfit: what a fit's own runs say about its law, and the error to expect of it further out.

A law that is not suspected is taken at its word. One that is, is expected to fail further out too:
its intervals for future runs grow (see `predict_loss`) by a drift that grows with the root of the
distance, and by what the fit moves when the smaller runs are dropped.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isoflop.fitting.foresight.rolling import log_scales, reach_beyond
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.laws.law import AbstractLaw, Variables

SURPRISING = 0.01
"""Chance under which a law counts as wrong: three tests, so 3 % of right laws are suspected."""
ARRAYS = ("edge", "parameters", "later", "later_noise")


@dataclass(frozen=True)
class Misfit:
    """What a fit's own runs say about its law.

    Args:
        rolling: chance of as large misses from smaller scales, were the law right; 1 if no
            origin could be fitted.
        shape: chance of as bent residuals.
        tails: chance of as many outliers.
        noise: robust standard deviation of the residuals.
        drift: standard deviation of the law's error per root e-fold beyond the runs.
        edge: (k,) largest log of each scale (see `log_scales`).
        parameters: (p, p) covariance of the parameters by that noise, in solver coordinates.
        later: (p,) fit of the larger two thirds of the runs; empty if they are too few.
        later_noise: (p, p) covariance of `later` − fit by noise alone, in solver coordinates.
        n_origins: scales it was asked at.
    """

    rolling: float
    shape: float
    tails: float
    noise: float
    drift: float
    edge: Array
    parameters: Array = field(default_factory=lambda: np.empty((0, 0)))
    later: Array = field(default_factory=lambda: np.empty(0))
    later_noise: Array = field(default_factory=lambda: np.empty((0, 0)))
    n_origins: int = 0

    @property
    def suspected(self) -> bool:
        """Whether the law is wrong beyond noise, or its noise is not normal."""
        return min(self.rolling, self.shape, self.tails) <= SURPRISING

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "suspected": self.suspected,
            "chance_rolling": self.rolling,
            "chance_shape": self.shape,
            "chance_tails": self.tails,
            "noise": self.noise,
            "drift": self.drift,
            "n_origins": self.n_origins,
        }


def write_chance(share: float) -> str:
    """Write a chance to three digits; none of the simulated tables is not a chance of zero.

    >>> write_chance(0.0), write_chance(0.77)
    ('< .001', '0.770')
    """
    return "< .001" if share < 0.001 else f"{share:.3f}"


def misfit_arrays(misfit: Misfit) -> dict[str, list[float]]:
    """Return what `Misfit.to_dict` leaves out, for a file."""
    return {name: getattr(misfit, name).ravel().tolist() for name in ARRAYS}


def restore_misfit(record: Mapping[str, Any], arrays: Mapping[str, Any]) -> Misfit:
    """Read a misfit back from its JSON object and its arrays, bit for bit."""
    flat = {name: np.array(arrays[name], dtype=np.float64) for name in ARRAYS}
    for name in ("parameters", "later_noise"):
        width = math.isqrt(flat[name].size)
        flat[name] = flat[name].reshape(width, width)
    return Misfit(
        rolling=float(record["chance_rolling"]),
        shape=float(record["chance_shape"]),
        tails=float(record["chance_tails"]),
        noise=float(record["noise"]),
        drift=float(record["drift"]),
        n_origins=int(record["n_origins"]),
        **flat,
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def expected_error(
    misfit: Misfit, law: AbstractLaw, theta: Array, variables: Variables, *, objective: Objective
) -> Array:
    """Standard deviation of a suspected law's error at some runs, noise and parameters apart.

    sqrt(drift²·reach + excess²), 0 where the law is not suspected. The excess is what the fit
    moves when the smallest third of its runs is dropped, less what noise alone would move it:
    excess² = (later fit − fit)² − Var(later fit) + Var(fit), at least 0 (Hausman 1978).

    Args:
        misfit: what the fit's runs said.
        law: the law.
        theta: (p,) the fit.
        variables: {name: (n,) float}.
        objective: what was minimised; errors are on its scale.

    Returns:
        (n,) float.
    """
    reach = reach_beyond(log_scales(variables), misfit.edge)
    if not misfit.suspected:
        return np.zeros(len(reach))
    variance = misfit.drift**2 * reach
    if len(misfit.later):
        there = Problem(law, variables, np.ones(len(reach)), objective)
        before, after = there.residuals(np.stack([theta, misfit.later]))
        slope = there.jacobian(theta[None])[0]
        by_noise = np.einsum("np,pq,nq->n", slope, misfit.later_noise, slope)
        variance = variance + np.maximum((after - before) ** 2 - by_noise, 0.0)
    return np.sqrt(variance)
