"""What the residuals say about the noise: its size along the loss, its tails, its outliers.

Legend: n runs; r residuals of the fit; s(L) the noise's standard deviation at predicted loss L.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.robust import EFFICIENT, robust_scale
from isoflop.fitting.solve.solver import Array
from isoflop.fitting.uncertainty.tangent import Tangent, secant_slope, slope_width

CAPPED = 3.0
"""Robust standard deviations at which a residual's size is cut off before it is regressed."""
ROUNDS = 2
"""Times the sizes are cut off anew, along the trend found."""
STEEPEST = 20.0
"""Largest |power| of the predicted response that the noise may follow."""


@dataclass(frozen=True)
class NoiseProfile:
    """How the noise behaves.

    Args:
        power: k of s ∝ L^k, 0 for even noise.
        power_p: p-value of "the noise has one size" (Glejser 1969, JASA 64, 316).
        size: (n,) standard deviation of each run's noise, along L^k.
        outliers: (n,) which residuals lie beyond 4.685 of their own standard deviation.
        kurtosis: excess kurtosis of the residuals over their own size, 0 for normal noise.
        kurtosis_p: p-value of "no heavier than normal".
    """

    power: float
    power_p: float
    size: Array
    outliers: np.ndarray
    kurtosis: float
    kurtosis_p: float

    @property
    def n_outliers(self) -> int:
        """Outlying runs."""
        return int(self.outliers.sum())


def profile_noise(tangent: Tangent) -> NoiseProfile:
    """Measure the noise of a fit's residuals.

    Args:
        tangent: the fit.
    """
    residuals = tangent.residuals / np.sqrt(1 - tangent.leverage)
    scale = robust_scale(residuals, 0)
    if scale <= 1e-13 or tangent.freedom < 3:
        even = np.full(len(residuals), max(scale, np.sqrt(tangent.variance)))
        return NoiseProfile(0.0, 1.0, even, np.zeros(len(residuals), dtype=bool), 0.0, 1.0)
    x = _regressor(tangent)
    power, p_value = _size_trend(x, np.minimum(np.abs(residuals), CAPPED * scale))
    for _ in range(ROUNDS):
        trend = np.exp(power * x)
        level = np.abs(residuals) / trend
        capped = np.minimum(level, CAPPED * robust_scale(level, 0)) * trend
        power, _ = _size_trend(x, capped)
    trend = np.exp(power * x)
    size = trend * robust_scale(residuals / trend, 0)
    standard = residuals / size
    kurtosis = _excess_kurtosis(standard)
    return NoiseProfile(
        power,
        p_value,
        size,
        np.abs(standard) > EFFICIENT,
        kurtosis,
        float(ndtr(-kurtosis * np.sqrt(len(standard) / 24))),
    )


def local_slopes(tangent: Tangent, profile: NoiseProfile) -> Array:
    """E[psi′] of each run under noise of its own size, (n,): its say in a robust fit.

    Args:
        tangent: the fit.
        profile: its noise.
    """
    objective: Objective = tangent.problem.objective
    n_runs, n_parameters = tangent.jacobian.shape
    width = slope_width(tangent.residuals, n_parameters)
    if objective.threshold == np.inf or width <= 0:
        return np.ones(n_runs)
    shape = np.quantile(tangent.residuals / profile.size, (np.arange(101) + 0.5) / 101)
    slopes = secant_slope(objective, profile.size[:, None] * shape, width).mean(axis=1)
    return np.maximum(slopes, 0.05 * slopes.max())


def _size_trend(x: Array, sizes: Array) -> tuple[float, float]:
    """Power k of |r| ∝ L^k by a log-link regression, and the p-value of its absence."""
    spread = float(x @ x)
    if spread < 1e-12:
        return 0.0, 1.0
    # No trend is tested by plain regression of |r|, which is what Glejser's test is.
    level = float(sizes.mean())
    rise = float(x @ sizes) / spread
    rest = sizes - level - rise * x
    error = np.sqrt(float(rest @ rest) / (len(x) - 2) / spread)
    p_value = float(2 * stdtr(len(x) - 2, -abs(rise) / max(error, 1e-300)))
    power = rise / level
    for _ in range(20):
        fitted = np.exp(np.log(level) + power * x)
        excess = sizes / fitted - 1
        level *= 1 + float(np.clip(excess.mean(), -0.5, 0.5))
        power = float(np.clip(power + (x @ excess) / spread, -STEEPEST, STEEPEST))
    return power, p_value


def _regressor(tangent: Tangent) -> Array:
    """The predicted response on the residuals' scale, its log for most, centred."""
    problem = tangent.problem
    predicted = problem.law.predict(tangent.theta, problem.variables)
    predicted = problem.objective.enter(predicted)
    return predicted - predicted.mean()


def _excess_kurtosis(values: Array) -> float:
    centred = values - values.mean()
    square = float(np.mean(centred**2))
    return float(np.mean(centred**4)) / square**2 - 3 if square > 0 else 0.0
