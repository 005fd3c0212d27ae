"""Did the intervals of hidden runs hold too few of them, and by more than bad luck?

Hidden runs are not independent trials: all are predicted by one fit, so that its error moves them
together, and runs of one size share noise. The chance of the count is therefore simulated: each
run's miss, in standard errors of its interval, is normal with a part shared by all runs,

    share = 1 − (noise/standard error)²,

and, of the rest, a part shared by the runs of one size. Where the noise of a run is all that an
interval holds, each size once, that is the binomial test; where parameters are, one trial.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.runs.checks import Finding

MISSED = "backtest-missed"
SURPRISING = 0.05
"""Chance under which a count is called too low."""
SAME_SIZE = 0.35
"""Correlation of the noise of runs of one size: .14 to .39 on published tables."""
N_SIMULATED = 4000


def is_inside(predicted: Sequence[Estimate], measured: Array) -> list[bool]:
    """Whether each measurement lies inside its interval; none does in one that is unknown."""
    return [
        bool(e.low is not None and e.high is not None and e.low <= loss <= e.high)
        for e, loss in zip(predicted, measured, strict=True)
    ]


def chance_of_count(
    predicted: Sequence[Estimate], n_inside: int, *, noise: Array, sizes: Array
) -> float:
    """Chance of so few runs inside intervals that are right.

    Args:
        predicted: n predictions with intervals, positive.
        n_inside: how many hold their run.
        noise: (n,) standard deviation of a single run, relative to its prediction.
        sizes: (n,) parameters; runs of one size share noise. NaN where they are not known.

    >>> free, shared = np.full(12, 0.01), np.full(12, 1e-6)
    >>> sure = [Estimate(2.0, 2.0 * np.exp(-0.0196), 2.0 * np.exp(0.0196), 0.95)] * 12
    >>> apart = np.arange(12.0)
    >>> chance_of_count(sure, 10, noise=free, sizes=apart).__round__(2)  # 12 trials: .12
    0.12
    >>> chance_of_count(sure, 0, noise=shared, sizes=apart).__round__(2)  # one trial: .05
    0.05
    """
    width = np.array([np.log(e.high / e.low) for e in predicted if e.low and e.high])
    limit = float(ndtri((1 + predicted[0].level) / 2))
    share = 1 - np.minimum(noise / np.maximum(width / 2 / limit, 1e-300), 1.0) ** 2
    rng = np.random.default_rng(0)
    every, own = (rng.standard_normal((N_SIMULATED, k)) for k in (1, len(width)))
    known = np.isfinite(sizes)
    _, member = np.unique(np.where(known, sizes, -1 - np.arange(len(sizes))), return_inverse=True)
    of_size = rng.standard_normal((N_SIMULATED, member.max() + 1))[:, member]
    rest = np.sqrt(SAME_SIZE) * of_size + np.sqrt(1 - SAME_SIZE) * own
    miss = np.sqrt(share) * every + np.sqrt(1 - share) * rest
    return float(np.mean((np.abs(miss) <= limit).sum(axis=1) <= n_inside))


def judge_count(
    predicted: Sequence[Estimate], measured: Array, *, noise: Array, sizes: Array
) -> list[Finding]:
    """Report intervals that held fewer of the hidden runs than they should, beyond chance.

    Args:
        predicted: predictions with intervals.
        measured: (n,) what was measured.
        noise: (n,) standard deviation of a single run, relative to its prediction.
        sizes: (n,) parameters of the runs, NaN where they are not known.

    Returns:
        No finding, or one; none where some prediction has no positive interval.
    """
    inside, level = is_inside(predicted, measured), 100 * predicted[0].level
    outside = len(inside) - sum(inside)
    if any(e.low is None or e.high is None or e.low <= 0 for e in predicted):
        return []
    if np.mean(inside) >= predicted[0].level:
        return []
    chance = chance_of_count(predicted, sum(inside), noise=noise, sizes=sizes)
    if chance >= SURPRISING:
        return []
    above = sum(loss > (e.high or np.inf) for e, loss in zip(predicted, measured, strict=True))
    return [
        Finding(
            code=MISSED,
            severity="warning",
            evidence=f"{sum(inside)} of {len(inside)} hidden runs inside intervals that should "
            f"hold {level:g} %, {above} above theirs and {outside - above} below; "
            f"chance of so few, runs moving together as they may, {_write(chance)}",
            consequence="intervals of larger runs by this law on this table are too narrow, and "
            "plans beyond them are surer than they should be",
            remedy="compare laws; look at what else changed at the hidden scale (schedule, data, "
            "batch); fit from a larger smallest run",
        )
    ]


def _write(chance: float) -> str:
    return "< .001" if chance < 0.001 else f"{chance:.3f}"
