"""The best set of runs under a budget: greedy purchase, then exchange, of whole runs.

Bought three ways, by gain, by gain for the price, and for the price and the place among the runs,
since an exchange of single runs finds only the best set nearby.

Fedorov's exchange (1972) with a price: the criterion is the mean log variance of the forecasts,
over goals and plausible constants. Legend: K sets of constants, T goals, n candidates, p constants.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.law import Array

UNKNOWN = 1e-6
"""Information of nothing: a standard deviation of a thousand e-folds."""
WORTHWHILE = 1e-6
"""Least gain of an exchange, in log variance."""
EXCHANGES = 500


@dataclass(frozen=True)
class Shelf:
    """What there is to choose from.

    Args:
        slopes: (K, n, p) derivatives of the runs' log loss, in units of noise.
        goals: (K, T, p) derivatives of the forecasts.
        price: (n,) of each run.
        information: (p, p) of the runs one has.
    """

    slopes: Array
    goals: Array
    price: Array
    information: Array

    def precision(self, counts: NDArray[np.int64]) -> Array:
        """Information of the chosen runs and of those one has, (K, p, p)."""
        weighed = self.slopes * counts[None, :, None]
        gained = np.einsum("knp,knq->kpq", weighed, self.slopes)
        return gained + self.information + UNKNOWN * np.eye(self.slopes.shape[-1])

    def covariance(self, counts: NDArray[np.int64]) -> Array:
        """Covariance of the constants with the chosen runs, (K, p, p)."""
        return np.asarray(np.linalg.inv(self.precision(counts)), dtype=np.float64)

    def variances(self, counts: NDArray[np.int64]) -> Array:
        """Variance of each forecast, (K, T)."""
        return self._spread(self.covariance(counts))

    def variances_with(self, covariance: Array) -> Array:
        """Variance of each forecast with one run more, (K, T, n).

        Args:
            covariance: (K, p, p) of what is chosen so far.
        """
        reached = self.slopes @ covariance
        own = 1 + np.einsum("knp,knp->kn", reached, self.slopes)
        through = np.einsum("knp,ktp->ktn", reached, self.goals)
        return self._spread(covariance)[..., None] - through**2 / own[:, None, :]

    def _spread(self, covariance: Array) -> Array:
        return np.einsum("ktp,kpq,ktq->kt", self.goals, covariance, self.goals)


def choose_runs(
    shelf: Shelf, budget: float, *, max_runs: int, repeats: int = 1
) -> NDArray[np.int64]:
    """Choose whole runs so that the forecasts vary least.

    Args:
        shelf: candidates, forecasts, and what one has.
        budget: what may be spent, in the price's unit.
        max_runs: runs at most.
        repeats: runs of one candidate at most, differing by seed.

    Returns:
        (n,) how many of each candidate.
    """
    ways = (shelf.price / budget + 1 / max_runs, np.ones(len(shelf.price)), shelf.price / budget)
    ends = [
        _exchange(shelf, _buy(shelf, budget, share, max_runs, repeats), budget, repeats)
        for share in ways
    ]
    return min(ends, key=lambda counts: float(np.log(shelf.variances(counts)).mean()))


def _exchange(
    shelf: Shelf, counts: NDArray[np.int64], budget: float, repeats: int
) -> NDArray[np.int64]:
    """Swap one run for another as long as that helps."""
    for _ in range(EXCHANGES):
        swap = _best_swap(shelf, counts, budget, repeats)
        if swap is None:
            break
        counts[swap[0]] -= 1
        counts[swap[1]] += 1
    return counts


def _buy(
    shelf: Shelf, budget: float, share: Array, max_runs: int, repeats: int
) -> NDArray[np.int64]:
    """Buy the run of most gain for its share (n,), until money or runs are spent."""
    counts = np.zeros(len(shelf.price), dtype=np.int64)
    while counts.sum() < max_runs:
        left = budget - counts @ shelf.price
        ready = (counts < repeats) & (shelf.price <= left * (1 + 1e-12))
        if not ready.any():
            break
        covariance = shelf.covariance(counts)
        now = np.log(shelf.variances(counts)).mean()
        gain = now - _mean_log(shelf.variances_with(covariance))
        counts[np.argmax(np.where(ready, gain / share, -np.inf))] += 1
    return counts


def _best_swap(
    shelf: Shelf, counts: NDArray[np.int64], budget: float, repeats: int
) -> tuple[int, int] | None:
    """The exchange of one run for another that gains most within the budget, None if none does."""
    now = np.log(shelf.variances(counts)).mean()
    left = budget - counts @ shelf.price
    best, swap = WORTHWHILE, None
    for out in np.flatnonzero(counts):
        fewer = counts.copy()
        fewer[out] -= 1
        ready = (fewer < repeats) & (shelf.price <= (left + shelf.price[out]) * (1 + 1e-12))
        ready[out] = False
        values = _mean_log(shelf.variances_with(shelf.covariance(fewer)))
        values = np.where(ready, values, np.inf)
        into = int(np.argmin(values))
        if now - values[into] > best:
            best, swap = now - values[into], (int(out), into)
    return swap


def _mean_log(variances: Array) -> Array:
    """Mean log variance over constants and goals for each candidate, (n,)."""
    return np.log(np.maximum(variances, 1e-300)).mean(axis=(0, 1))
