"""A number with its interval: the only kind of number that leaves the library."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.9
"""Confidence level of every interval unless another is asked for."""


@dataclass(frozen=True)
class Estimate:
    """A value and its interval.

    Args:
        value: the point estimate.
        low: lower end, or None where no uncertainty is known.
        high: upper end, or None where no uncertainty is known.
        level: probability that the interval is meant to cover.

    >>> print(Estimate(0.51234, 0.48, 0.55))
    0.512 [0.480, 0.550]
    >>> print(Estimate(7.2e10, 6.1e10, 8.4e10))
    7.2e10 [6.1e10, 8.4e10]
    >>> print(Estimate(1.69))
    1.69
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float = LEVEL

    def to_dict(self) -> dict[str, float | None]:
        """Return the contract's JSON object, in full precision; null where it has no value."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        finite = {k: x if x is not None and math.isfinite(x) else None for k, x in ends.items()}
        return {**finite, "level": self.level}

    @property
    def half_width(self) -> float | None:
        """Half the interval's width, None where there is no interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return shorten(self.value)
        digits = _digits_supported(self.value, self.high - self.low)
        low, high = (shorten(end, digits=digits) for end in (self.low, self.high))
        return f"{shorten(self.value, digits=digits)} [{low}, {high}]"


def interval_from_draws(
    value: float,
    draws: NDArray[np.float64],
    *,
    level: float = LEVEL,
    stretch: float = 1.0,
    log: bool = False,
) -> Estimate:
    """Turn resampled values into an interval around the point estimate.

    The percentiles of the draws, their distance from `value` stretched. A case bootstrap of n
    runs and p parameters is too narrow by about sqrt(n/(n−p)) and by t against normal
    quantiles; `stretch` undoes that (see `small_sample_stretch`).

    Args:
        value: point estimate.
        draws: (n_draws,) float, resampled values; non-finite ones are dropped.
        level: confidence level.
        stretch: factor ≥ 1 on the distance from `value`.
        log: stretch in log space; use for positive amounts such as N* or D*.

    >>> interval_from_draws(2.0, np.array([1.0, 2.0, 3.0]), level=0.5).low
    1.5
    """
    log = log and value > 0
    finite = draws[np.isfinite(draws) & (draws > 0)] if log else draws[np.isfinite(draws)]
    if finite.size < 2 or not math.isfinite(value):
        return Estimate(value, level=level)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if log:
        low, high = np.quantile(np.log(finite), tails)
        centre = math.log(value)
        ends = np.exp(centre + stretch * (np.array([low, high]) - centre))
    else:
        ends = value + stretch * (np.quantile(finite, tails) - value)
    low, high = float(min(ends[0], value)), float(max(ends[1], value))
    return Estimate(value, low, high, level)


def shorten(value: float, *, digits: int = 3) -> str:
    """Write a number with `digits` significant digits, the way people of the field do.

    >>> shorten(6.23456e23), shorten(0.3478, digits=2), shorten(84934656, digits=3)
    ('6.23e23', '0.35', '8.49e7')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)) + 1e-12)
    if -4 <= exponent < 5:
        return f"{value:.{max(0, digits - 1 - exponent)}f}"
    mantissa, _, power = f"{value:.{max(0, digits - 1)}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def _digits_supported(value: float, width: float) -> int:
    """Significant digits of `value` that an interval of this width supports (two of it)."""
    if value == 0 or width <= 0 or not math.isfinite(width):
        return 3
    step = math.floor(math.log10(width / 2)) - 1
    return min(8, max(2, math.floor(math.log10(abs(value))) - step + 1))
