"""Capabilities: the few directions in which models differ over many benchmarks.

Legend: X scores (n models, b benchmarks) between 0 and 1, S = (X - mean)·loadingsᵀ capabilities
(n, k), the first the one that varies most.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError

Array = NDArray[np.float64]

SWEEPS = 2000
SETTLED = 1e-10
"""Change of the imputed scores at which they have settled."""


@dataclass(frozen=True)
class Capabilities:
    """Principal components of a table of scores.

    Args:
        mean: (b,) mean score of each benchmark.
        loadings: (k, b) orthonormal directions, turned so that better scores are more.
        shares: (k,) share of the variance along each.
    """

    mean: Array
    loadings: Array
    shares: Array

    def measure(self, scores: Array) -> Array:
        """Return the capabilities (n, k) of models with complete scores (n, b)."""
        return (scores - self.mean) @ self.loadings.T


def find_capabilities(scores: Array, n_components: int) -> Capabilities:
    """Find the principal components of complete scores.

    Args:
        scores: (n, b) float, without gaps; see `impute_scores`.
        n_components: how many to keep; one holds about 80 % of the variance over common benchmarks
            and three 97 % (Ruan et al. 2024).

    Raises:
        InputError: fewer models or benchmarks than components.

    >>> found = find_capabilities(np.array([[0.1, 0.2], [0.2, 0.4], [0.3, 0.6]]), 1)
    >>> found.shares.round(3), found.loadings.round(3)
    (array([1.]), array([[0.447, 0.894]]))
    """
    if not 1 <= n_components <= min(len(scores) - 1, scores.shape[1]):
        raise InputError(
            f"{n_components} components of {len(scores)} models and {scores.shape[1]} benchmarks; "
            "expected fewer than the models and no more than the benchmarks"
        )
    mean = scores.mean(axis=0)
    _, singular, directions = np.linalg.svd(scores - mean, full_matrices=False)
    loadings = directions[:n_components]
    loadings = loadings * np.where(loadings.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    return Capabilities(mean, loadings, (singular**2 / np.sum(singular**2))[:n_components])


def impute_scores(scores: Array, *, n_components: int = 1) -> Array:
    """Fill the gaps of a table of scores by what its own principal components say.

    Gaps start at their benchmark's mean and are replaced by the low-rank reconstruction until they
    settle (Ruan et al. 2024 use one component).

    Args:
        scores: (n, b) float, NaN where a model was not evaluated.
        n_components: rank of the reconstruction.

    Returns:
        (n, b) float without gaps; recorded scores are unchanged.

    Raises:
        InputError: a model or a benchmark without any score.

    >>> impute_scores(np.array([[0.1, 0.2], [0.2, 0.4], [0.3, np.nan]])).round(3)[2]
    array([0.3, 0.6])
    """
    gaps = np.isnan(scores)
    for axis, what in ((1, "model"), (0, "benchmark")):
        empty = np.flatnonzero(gaps.all(axis=axis))
        if empty.size:
            raise InputError(f"{what} {empty[0] + 1} has no score at all; leave it out")
    filled = np.where(gaps, np.nanmean(scores, axis=0), scores)
    for _ in range(SWEEPS if gaps.any() else 0):
        found = find_capabilities(filled, n_components)
        rebuilt = found.mean + found.measure(filled) @ found.loadings
        change = np.abs(rebuilt - filled)[gaps].max()
        filled = np.where(gaps, rebuilt, filled)
        if change < SETTLED:
            break
    return filled


def choose_models(capabilities: Array, n_models: int) -> list[int]:
    """Choose the few models whose evaluation pins the sigmoid's weights best (V-optimal).

    Models are dropped one by one, each the one whose loss raises the mean variance of prediction
    over all models, tr[X·(X_sᵀX_s)⁻¹·Xᵀ], least.

    Args:
        capabilities: (n, k) float.
        n_models: how many to keep, at least k + 1.

    Returns:
        Rows kept, ascending.

    >>> choose_models(np.array([[0.0], [0.1], [0.5], [0.9], [1.0]]), 2)
    [0, 4]
    """
    X = np.column_stack([np.ones(len(capabilities)), capabilities])
    if not X.shape[1] <= n_models <= len(X):
        raise InputError(f"expected {X.shape[1]} to {len(X)} models to keep, found {n_models}")
    kept = list(range(len(X)))
    while len(kept) > n_models:
        variances = [_mean_variance(X, [row for row in kept if row != out]) for out in kept]
        kept.pop(int(np.argmin(variances)))
    return kept


def _mean_variance(X: Array, rows: list[int]) -> float:
    chosen = X[rows]
    gram = chosen.T @ chosen
    if np.linalg.cond(gram) > 1e12:
        return np.inf
    return float(np.einsum("ij,ji->", X @ np.linalg.inv(gram), X.T))
