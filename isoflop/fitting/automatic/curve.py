"""A learning curve as the automatic choice sees it: its end, and how noisy each point is.

Legend: x the variable, u = log x, y = log loss.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 2.0
"""E-folds of x at the end of a curve that are used: a factor of 7.4. Earlier points say little of
the end and, where the curve is a sigmoid, mislead."""

FEWEST_POINTS = 6
"""Points used even where they reach further back than the window."""

MOST_POINTS = 60
"""Points of the end, and of what lies before it, after averaging in equal steps of u."""

OPENING = 4
"""First gaps of a curve that tell how often it was recorded."""


@dataclass(frozen=True)
class Curve:
    """A curve, sorted and joined, with the noise each point is expected to have.

    Args:
        u: (n,) log of the variable, increasing.
        y: (n,) log loss.
        noise: (n,) variance of each point's noise, in units of the last points'.
        record: variance of one new record's noise in the same unit, 1 where points are records.
        n_points: distinct values of x before averaging.
        start: index at which the end begins.
        stands_for: records that each of the last points, as given, is taken to be the mean of.
    """

    u: Array
    y: Array
    noise: Array
    record: float
    n_points: int
    start: int = 0
    stands_for: float = 1.0

    @property
    def end(self) -> "Curve":
        """The last points alone."""
        kept = slice(self.start, None)
        return replace(self, u=self.u[kept], y=self.y[kept], noise=self.noise[kept], start=0)

    @property
    def slope(self) -> float:
        """Mean fall of y for each unit of u, positive."""
        return abs(float(self.y[-1] - self.y[0])) / float(self.u[-1] - self.u[0]) + 1e-3


def take_curve(x: Array, loss: Array) -> Curve:
    """Sort a curve, join its duplicates, find its end and how noisy its points are.

    Curves recorded at even steps are often thinned to even steps of log x, each point the mean
    of the records since the one before. The first gaps then equal the recording step, later
    ones grow, and a point that stands for m records has a variance of 1/m of one record's.
    Where the first gaps are even this is assumed, elsewhere every point is one record.

    Args:
        x: (n,) float, positive; any order.
        loss: (n,) float, positive.

    >>> curve = take_curve(np.array([4.0, 1.0, 2.0, 2.0, 8.0]), np.array([1.0, 4.0, 2.0, 2.0, 0.5]))
    >>> curve.n_points, curve.noise
    (4, array([1., 1., 1., 1.]))
    """
    values, place = np.unique(np.asarray(x, dtype=np.float64), return_inverse=True)
    u = np.log(values)
    y = np.bincount(place, weights=np.log(loss)) / np.bincount(place)
    records = count_records(values)
    given = float(np.median(records[-5:]))
    start = min(int(np.searchsorted(u, u[-1] - WINDOW)), max(0, len(u) - FEWEST_POINTS))
    past = _average(u[:start], y[:start], records[:start])
    end = _average(u[start:], y[start:], records[start:])
    u, y, records = (np.concatenate(parts) for parts in zip(past, end, strict=True))
    last = float(np.median(records[-5:]))
    return Curve(u, y, last / records, last, len(values), len(past[0]), given)


def count_records(x: Array) -> Array:
    """Estimate how many records each point of a sorted curve is the mean of, (n,) ≥ 1.

    >>> count_records(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0]))
    array([1., 1., 1., 1., 1., 2., 3., 4.])
    >>> count_records(2.0 ** np.arange(8))
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    gaps = np.diff(x)
    opening = gaps[:OPENING]
    if len(gaps) < OPENING + 1 or opening.max() > 2 * opening.min():
        return np.ones(len(x))
    if gaps[0] / x[0] < 2 * np.median(gaps[-OPENING:] / x[-OPENING:]):
        return np.ones(len(x))  # evenly spaced in log x, or in x, from the start
    step = float(np.median(opening))
    return np.maximum(np.concatenate([[1.0], gaps / step]), 1.0)


def _average(u: Array, y: Array, records: Array) -> tuple[Array, Array, Array]:
    """Average many points in `MOST_POINTS` equal steps of u, weighted by their records."""
    if len(u) <= MOST_POINTS:
        return u, y, records
    edges = np.linspace(u[0], u[-1], MOST_POINTS + 1)[1:-1]
    place = np.searchsorted(edges, u, side="right")
    total, sum_u, sum_y = (
        np.bincount(place, weights=v, minlength=MOST_POINTS).astype(np.float64)
        for v in (records, records * u, records * y)
    )
    kept = total > 0
    return sum_u[kept] / total[kept], sum_y[kept] / total[kept], total[kept]
