"""The gradient noise scale, from the norms of gradients at two batch sizes.

Legend: G the true gradient, Sigma the covariance of one example's, B the batch, G_B the mean
gradient of B examples: E|G_B|² = |G|² + tr(Sigma)/B. So two batch sizes give both without bias
(McCandlish et al. 2018, appendix A.1), and B_simple = tr(Sigma)/|G|². Numerator and denominator
are averaged apart, then divided: a mean of ratios is biased, and one measurement's |G|² may well
be negative. Later measurements find critical batches above B_simple (Merrill et al. 2025).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from isoflop.base.errors import InputError
from isoflop.base.estimate import LEVEL, Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseScale:
    """What gradients at two batch sizes say.

    Args:
        batch: B_simple = tr(Sigma)/|G|², in the unit of the batches; None where |G|² was not
            told from zero: gradients at larger batches, or more of them, are needed.
        grad_sq: |G|².
        trace: tr(Sigma) of one example, or of one token where batches are counted in tokens.
    """

    batch: Estimate | None
    grad_sq: Estimate
    trace: Estimate


def estimate_noise_scale(
    small_sq: ArrayLike,
    big_sq: ArrayLike,
    *,
    batch_small: float,
    batch_big: float,
    level: float = LEVEL,
) -> NoiseScale:
    """Estimate the noise scale from squared gradient norms at two batch sizes.

    |G|² = (B_big|G_big|² − B_small|G_small|²)/(B_big − B_small) and
    tr(Sigma) = (|G_small|² − |G_big|²)/(1/B_small − 1/B_big), each averaged over the steps.

    Args:
        small_sq: (n_steps,) |G_small|², in data-parallel training the mean over the workers.
        big_sq: (n_steps,) |G_big|² of the same steps, after the reduction.
        batch_small: examples or tokens of one small gradient.
        batch_big: of one big gradient; the noise scale is in the same unit.
        level: of the intervals.

    Raises:
        InputError: fewer than two steps, or batches that are not 0 < small < big.

    >>> found = estimate_noise_scale([5.0, 5.0], [2.0, 2.0], batch_small=1, batch_big=4)
    >>> found.grad_sq.value, found.trace.value
    (1.0, 4.0)
    """
    small, big = np.asarray(small_sq, dtype=np.float64), np.asarray(big_sq, dtype=np.float64)
    if small.shape != big.shape or small.ndim != 1 or len(small) < 2:
        raise InputError(
            f"found {small.size} small and {big.size} big gradient norms, expected as many of "
            "each, two at least"
        )
    if not 0 < batch_small < batch_big:
        raise InputError(f"batches are {batch_small:g} and {batch_big:g}, expected 0 < small < big")
    grad_sq, trace = _unbiased(small, big, batch_small, batch_big)
    return combine_noise(grad_sq, trace, level=level)


def combine_noise(grad_sq: Array, trace: Array, *, level: float = LEVEL) -> NoiseScale:
    """Average unbiased estimates and divide, with a jackknife interval of the log ratio.

    Args:
        grad_sq: (n,) unbiased estimates of |G|².
        trace: (n,) of tr(Sigma), of the same steps.
        level: of the intervals.
    """
    n = len(grad_sq)
    means = grad_sq.mean(), trace.mean()
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    parts = [_mean(values, t, level) for values in (grad_sq, trace)]
    without = [(values.sum() - values) / (n - 1) for values in (grad_sq, trace)]
    if min(means) <= 0 or min(each.min() for each in without) <= 0:
        return NoiseScale(None, *parts)
    logs = np.log(without[1] / without[0])
    spread = t * np.sqrt((n - 1) / n * np.sum((logs - logs.mean()) ** 2))
    ratio = float(means[1] / means[0])
    ends = ratio * np.exp([-spread, spread])
    return NoiseScale(Estimate(ratio, float(ends[0]), float(ends[1]), level), *parts)


def gram_noise(gram: Array, small_sq: Array, *, batch_small: float, per_group: int) -> NoiseScale:
    """Estimate the noise scale from groups of small gradients of one model at one moment.

    The big batch is all of them together; the jackknife leaves out a group at a time.

    Args:
        gram: (g, g) products of the groups' mean gradients.
        small_sq: (g,) mean |G_small|² within each group.
        batch_small: examples or tokens of one small gradient.
        per_group: small gradients in a group.
    """
    groups = len(gram)
    big_sq = float(gram.sum()) / groups**2
    n_big = batch_small * per_group * groups
    whole = _unbiased(small_sq.mean(), big_sq, batch_small, n_big)
    without = []
    for left_out in range(groups):
        keep = np.arange(groups) != left_out
        rest = float(gram[np.ix_(keep, keep)].sum()) / (groups - 1) ** 2
        share = n_big * (groups - 1) / groups
        without.append(_unbiased(small_sq[keep].mean(), rest, batch_small, share))
    pseudo = [
        groups * whole[k] - (groups - 1) * np.array([each[k] for each in without]) for k in (0, 1)
    ]
    return combine_noise(pseudo[0], pseudo[1])


def _unbiased(
    small: Array | float, big: Array | float, batch_small: float, batch_big: float
) -> tuple[Array, Array]:
    grad_sq = (batch_big * big - batch_small * small) / (batch_big - batch_small)
    trace = (small - big) / (1 / batch_small - 1 / batch_big)
    return np.asarray(grad_sq), np.asarray(trace)


def _mean(values: Array, t: float, level: float) -> Estimate:
    half = t * float(values.std(ddof=1)) / np.sqrt(len(values))
    mean = float(values.mean())
    return Estimate(mean, mean - half, mean + half, level)
