"""The hyperbola of steps and tokens to one loss: S_min, E_min and B_crit with intervals.

Legend: B tokens a step, S steps, E = B·S tokens; (S/S_min − 1)(E/E_min − 1) = 1, that is
S = S_min + E_min/B = S_min·(1 + B_crit/B), B_crit = E_min/S_min (Kaplan et al. 2020, eq. 5.1).
Fitted to log S. With b = log B_crit held, log S_min is a mean; so the profile over b is exact and
one-dimensional, and the region it bounds gives the intervals of all three amounts, open where
every batch lies on one side of the critical one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import LEVEL, Estimate

Array = NDArray[np.float64]
BEYOND = 12.0
"""Critical batches are sought this far beyond the batches tried, in powers of e; there the
hyperbola is a straight line to a part in 100 000."""
_GRID = 400


@dataclass(frozen=True)
class BatchTrade:
    """Steps against tokens at one loss and size.

    Args:
        loss: the loss reached, None where it was not given.
        n_params: size of the models, None where it was not given.
        steps_min: S_min; an end is None where the batches leave it open, as below.
        tokens_min: E_min.
        critical_batch: B_crit, tokens a step.
        n_runs: runs fitted.
        rms: of the residuals of log steps.
    """

    loss: float | None
    n_params: float | None
    steps_min: Estimate
    tokens_min: Estimate
    critical_batch: Estimate
    n_runs: int
    rms: float

    @property
    def bracketed(self) -> bool:
        """Whether the critical batch has two ends."""
        return self.critical_batch.low is not None and self.critical_batch.high is not None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        shown = {k: v.to_dict() if isinstance(v, Estimate) else v for k, v in vars(self).items()}
        return {**shown, "bracketed": self.bracketed}


def fit_hyperbola(
    batch_tokens: Array,
    steps: Array,
    *,
    loss: float | None = None,
    n_params: float | None = None,
    level: float = LEVEL,
) -> BatchTrade:
    """Fit the hyperbola to steps at several batches, by least squares of log steps.

    Args:
        batch_tokens: (n,) float, tokens a step.
        steps: (n,) float, steps to the loss.
        loss: the loss, kept with the result.
        n_params: the size, likewise.
        level: of the intervals, by the likelihood ratio with an F quantile.

    Raises:
        RefusalError: fewer than three distinct batches.

    >>> B = np.array([1e4, 1e5, 1e6, 1e7])
    >>> trade = fit_hyperbola(B, 500 + 5e7 / B)
    >>> trade.critical_batch.value.__round__(), trade.steps_min.value.__round__()
    (100000, 500)
    """
    batches = len(np.unique(batch_tokens))
    if batches < 3:
        at = "" if loss is None else f" loss {loss:.4g}"
        raise RefusalError(
            f"{batches} distinct batches reach{at}; a hyperbola needs three: train at more batches"
        )
    profile = _Profile(np.log(batch_tokens), np.log(steps))
    b, low, high, limit = profile.search(level)
    return BatchTrade(
        loss,
        n_params,
        profile.amount(b, (low, high), limit, slope=0.0, level=level),
        profile.amount(b, (low, high), limit, slope=1.0, level=level),
        Estimate(_exp(b), _open(low), _open(high), level),
        len(steps),
        float(np.sqrt(profile.squares(b) / len(steps))),
    )


@dataclass(frozen=True)
class _Profile:
    """Sum of squares over b = log B_crit, the best log S_min taken at each.

    Args:
        log_batch: (n,) float.
        log_steps: (n,) float.
    """

    log_batch: Array
    log_steps: Array

    def level_of(self, b: Array | float) -> Array:
        """(..., n) log S − log(1 + B_crit/B): log S_min, run by run, at (...) b."""
        return self.log_steps - np.logaddexp(0.0, np.asarray(b)[..., None] - self.log_batch)

    def squares(self, b: Array | float) -> Array:
        """(...) sums of squares."""
        each = self.level_of(b)
        return np.sum((each - each.mean(-1, keepdims=True)) ** 2, axis=-1)

    def search(self, level: float) -> tuple[float, float | None, float | None, float]:
        """Best b, ends of its interval (None where open) and the limit on the squares."""
        ends = self.log_batch.min() - BEYOND, self.log_batch.max() + BEYOND
        grid = np.linspace(*ends, _GRID)
        k = int(self.squares(grid).argmin())
        around = grid[max(0, k - 1)], grid[min(_GRID - 1, k + 1)]
        b, _, _, _ = optimize.fminbound(self.squares, *around, xtol=1e-10, full_output=True)
        b, freedom = float(b), len(self.log_steps) - 2
        least = float(self.squares(b))
        limit = least * (1 + float(stats.f.ppf(level, 1, freedom)) / freedom) + 1e-20
        sides = [self._end(b, grid[::-1][grid[::-1] < b], limit)]
        sides.append(self._end(b, grid[grid > b], limit))
        return b, sides[0], sides[1], limit

    def _end(self, b: float, outwards: Array, limit: float) -> float | None:
        """Where the squares last fall to the limit, going outwards; None beyond the search."""
        inside = np.flatnonzero(self.squares(outwards) <= limit)
        last = int(inside[-1]) if len(inside) else -1
        if last == len(outwards) - 1:
            return None
        start = b if last < 0 else float(outwards[last])
        there = float(outwards[last + 1])
        found, _ = optimize.brentq(
            lambda x: self.squares(x) - limit, start, there, full_output=True
        )
        return float(found)

    def amount(
        self,
        b: float,
        ends: tuple[float | None, float | None],
        limit: float,
        *,
        slope: float,
        level: float,
    ) -> Estimate:
        """Interval of log S_min + slope·b: of S_min, or with slope 1 of E_min.

        The squares at (log S_min, b) are those of the profile plus n·(log S_min − best)².
        """
        reach = self.log_batch.min() - BEYOND, self.log_batch.max() + BEYOND
        low, high = (side if end is None else end for end, side in zip(ends, reach, strict=True))
        grid = np.append(np.linspace(low, high, _GRID), b)
        half = np.sqrt(np.maximum(limit - self.squares(grid), 0.0) / len(self.log_steps))
        centre = self.level_of(grid).mean(-1) + slope * grid
        # With B_crit open above, S_min may be zero; with B_crit open below, E_min may.
        open_below = ends[0 if slope else 1] is None
        return Estimate(
            _exp(float(self.level_of(b).mean()) + slope * b),
            None if open_below else _exp(float((centre - half).min())),
            _exp(float((centre + half).max())),
            level,
        )


def _exp(value: float) -> float:
    return float(np.exp(value))


def _open(value: float | None) -> float | None:
    return None if value is None else _exp(value)
