"""One-variable laws cut out of a ladder: L(N) at fixed D, L(D) at fixed N, L(C) on the frontier.

Legend: N parameters, D tokens, C FLOPs, L loss.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.runs.table import RunTable

Array = NDArray[np.float64]
FEWEST_WITH_CONSTANT = 5
"""Points from which a constant is tried; with fewer it would be guessed."""
LOOSE = 0.5
"""Relative half-width of alpha beyond which the constant is not determined and is left out."""


def fit_slices(
    table: RunTable, frontier: Frontier | None, spec: FitSpec | None = None
) -> dict[str, Fit]:
    """Fit the one-variable laws a ladder allows.

    L(D) at the size with the most token counts; L(N) at the token count most sizes bracket,
    each size's loss interpolated in log-log (seeds averaged); L(C) through the optima.

    Args:
        table: runs with n_params, n_tokens and loss.
        frontier: the optima, if any.
        spec: resamples, level and seed.

    Returns:
        {label such as "L(D) at N = 2.5e4": fit}; laws that cannot be fitted are left out.
    """
    spec = spec or FitSpec()
    squared = FitSpec(Objective("squared"), spec.n_resamples, level=spec.level, seed=spec.seed)
    curves = size_curves(table)
    slices = {**_over_params(curves), **_over_tokens(curves)}
    if frontier:
        slices["L(C) on the frontier"] = ("flops", frontier.points.flops, frontier.points.loss)
    fits = {}
    for label, (variable, x, loss) in slices.items():
        try:
            fits[label] = _fit(variable, x, loss, table.source, squared)
        except IsoflopError:
            continue
    return fits


def size_curves(table: RunTable) -> dict[float, tuple[Array, Array]]:
    """Loss against tokens of each size, seeds averaged: {N: (D ascending, loss)}."""
    N, D, L = (table.numbers(name) for name in ("n_params", "n_tokens", "loss"))
    curves = {}
    for size in np.unique(N):
        rows = size == N
        tokens, group = np.unique(D[rows], return_inverse=True)
        mean = np.exp(np.bincount(group, np.log(L[rows])) / np.bincount(group))
        curves[float(size)] = (tokens, mean)
    return curves


def _over_tokens(
    curves: dict[float, tuple[Array, Array]],
) -> dict[str, tuple[str, Array, Array]]:
    size, (tokens, loss) = max(curves.items(), key=lambda item: len(item[1][0]))
    return {f"L(D) at N = {shorten(size)}": ("n_tokens", tokens, loss)}


def _over_params(
    curves: dict[float, tuple[Array, Array]],
) -> dict[str, tuple[str, Array, Array]]:
    """Choose D so that the most sizes have runs on both sides of it, or at it."""
    tokens = _widest_shared(tokens for tokens, _ in curves.values())
    inside = {
        size: np.exp(np.interp(np.log(tokens), np.log(D), np.log(L)))
        for size, (D, L) in curves.items()
        if D[0] <= tokens <= D[-1]
    }
    sizes = np.array(list(inside))
    return {f"L(N) at D = {shorten(tokens)}": ("n_params", sizes, np.array(list(inside.values())))}


def _widest_shared(ranges: Iterable[Array]) -> float:
    ends = [(tokens[0], tokens[-1]) for tokens in ranges]
    candidates = np.unique([end for pair in ends for end in pair])
    middles = np.sqrt(candidates[:-1] * candidates[1:]) if len(candidates) > 1 else candidates
    shared = [sum(low <= tokens <= high for low, high in ends) for tokens in middles]
    best = np.flatnonzero(np.array(shared) == max(shared))
    return float(middles[best[len(best) // 2]])


def _fit(variable: str, x: Array, loss: Array, source: str, spec: FitSpec) -> Fit:
    """Fit a power law with a constant where the points determine one, else without."""
    rows = [{variable: float(a), "loss": float(b)} for a, b in zip(x, loss, strict=True)]
    table = RunTable.from_records(rows, source=source)
    if len(rows) >= FEWEST_WITH_CONSTANT:
        fit = fit_parametric(table, PowerConstantLaw(variable), spec)
        alpha = fit.params["alpha"]
        if (alpha.half_width or np.inf) < LOOSE * alpha.value:
            return fit
    return fit_parametric(table, PowerLaw(variable), spec)
