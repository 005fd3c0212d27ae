"""Approach 1: at each compute take the best run, a line through the winners' sizes."""

import numpy as np

from isoflop.base.errors import EdgeOptimumError, InputError
from isoflop.fitting.frontiers.frontier import Frontier, fit_lines
from isoflop.fitting.frontiers.optima import Array, FrontierPoints
from isoflop.fitting.frontiers.valleys import COLUMNS
from isoflop.fitting.frontiers.winners_curse import Curve, estimate_curse, report_curse
from isoflop.fitting.parametric import FitSpec, describe_convention, record_data
from isoflop.runs.checks import check_comparable, check_duplicates, keep_usable
from isoflop.runs.table import RunTable

FEWEST_WINNERS = 3
"""Sizes that must win somewhere; a line through two is drawn, not fitted."""
CURVES_SHARE = 0.5
"""Share of the sizes that must have a curve; a size with one point is in no envelope."""
N_COMPUTES = 1500
"""Log-spaced computes at which the best size is read (Hoffmann et al. 2022, section 3.1)."""


def fit_envelope(table: RunTable, spec: FitSpec | None = None) -> Frontier:
    """Fit the compute-optimal frontier from the lower envelope of loss against compute.

    Each size's runs give loss against compute by log-log interpolation; computes where the next
    smaller or the next larger size than the winner was not measured are left out, since the
    optimum is then at the edge of the grid. The winner is chosen for its luck too, so the
    frontier's loss is biased low; by how much is estimated, and always reported.

    Args:
        table: runs with n_params, n_tokens, flops and loss; several computes a size.
        spec: resamples (of whole sizes), level and seed.

    Raises:
        InputError: fewer than four sizes, or than half of them, have two computes or more.
        EdgeOptimumError: the winner never lies inside the grid.
    """
    spec = spec or FitSpec()
    table, findings = keep_usable(table, COLUMNS)
    findings += check_comparable(table) + check_duplicates(table, COLUMNS)
    sizes, curves = _curves(table)
    if len(sizes) < 4:
        raise InputError(
            f"{table.source}: {len(sizes)} sizes have runs at two computes or more; an envelope "
            "needs four"
        )
    flops = np.geomspace(table.numbers("flops").min(), table.numbers("flops").max(), N_COMPUTES)
    log_loss = np.stack([curve.loss_at(flops) for curve in curves])
    log_D = np.stack([np.interp(np.log(flops), c.log_flops, c.log_tokens) for c in curves])
    present = np.ones((1, len(sizes)), dtype=bool)
    theta = _lines(flops, sizes, log_loss, log_D, present)[0]
    points = _points(flops, sizes, log_loss, log_D)
    if len(set(points.n_params)) < FEWEST_WINNERS:
        raise EdgeOptimumError(
            f"{table.source}: {len(set(points.n_params))} sizes win inside the grid; a line "
            f"through an envelope needs {FEWEST_WINNERS}: add sizes, or computes a size"
        )
    n_sizes = len(np.unique(table.numbers("n_params")))
    if len(sizes) < CURVES_SHARE * n_sizes:
        raise InputError(
            f"{table.source}: {len(sizes)} of {n_sizes} sizes have runs at two computes or more; "
            "an envelope would pass over the others' losses: use `--method isoflop` for one run a "
            "size and budget"
        )
    fitted = theta[1] + theta[0] * np.log(points.flops)
    return Frontier(
        method="envelope",
        points=points,
        valleys=(),
        theta=theta,
        draws=_resample(flops, sizes, log_loss, log_D, spec),
        objective_value=float(np.sum((np.log(points.n_params) - fitted) ** 2)),
        n_runs=len(table),
        n_sizes=n_sizes,
        findings=(*findings, report_curse(estimate_curse(table, curves, flops, seed=spec.seed))),
        data=record_data(table, COLUMNS),
        convention=describe_convention(table),
        level=spec.level,
        seed=spec.seed,
    )


def _curves(table: RunTable) -> tuple[Array, list[Curve]]:
    """Sizes with two computes or more, and each one's log C, mean log loss, log D."""
    N, D, C, L = (table.numbers(name) for name in COLUMNS)
    sizes, curves = [], list[Curve]()
    for size in np.unique(N):
        rows = np.flatnonzero(size == N)
        log_C, group = np.unique(np.log(C[rows]).round(3), return_inverse=True)
        if len(log_C) < 2:
            continue
        count = np.bincount(group)
        log_L = np.bincount(group, np.log(L[rows])) / count
        sizes.append(size)
        curves.append(Curve(log_C, log_L, np.bincount(group, np.log(D[rows])) / count, float(size)))
    return np.array(sizes), curves


def _winner(log_loss: Array, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the best size (K, m), and whether it lies inside the grid (K, m).

    Inside means that the next smaller and the next larger size were measured at that compute
    and lost: a size that wins because its rival was not trained long enough has not won.
    """
    masked = np.where(present[:, :, None], log_loss[None], np.inf)
    best = np.argmin(masked, axis=1)
    index = np.arange(present.shape[1])
    smaller = np.maximum.accumulate(np.where(present, index, -1), axis=1)
    smaller = np.concatenate([np.full((len(present), 1), -1), smaller[:, :-1]], axis=1)
    larger = np.minimum.accumulate(np.where(present, index, len(index))[:, ::-1], axis=1)[:, ::-1]
    larger = np.concatenate([larger[:, 1:], np.full((len(present), 1), len(index))], axis=1)
    edge = np.full((len(present), 1, masked.shape[2]), np.inf)
    padded = np.concatenate([masked, edge], axis=1)  # -1 and n_sizes both read the edge
    rivals = (np.take_along_axis(side, best, axis=1) for side in (smaller, larger))
    measured = [
        np.isfinite(np.take_along_axis(padded, r[:, None, :], axis=1))[:, 0] for r in rivals
    ]
    return best, measured[0] & measured[1]


def _lines(flops: Array, sizes: Array, log_loss: Array, log_D: Array, present: np.ndarray) -> Array:
    """One line a set of sizes, (K, 4); NaN where fewer than two sizes win inside."""
    best, inside = _winner(log_loss, present)
    rows = []
    for winner, ok in zip(best, inside, strict=True):
        if len(set(winner[ok])) < 2:
            if len(present) > 1:
                continue
            raise EdgeOptimumError(
                "the envelope has fewer than two winners inside the grid of sizes, so it has no "
                "slope; add sizes, or runs at more computes"
            )
        columns = np.flatnonzero(ok)
        chosen = winner[ok]
        rows.append(fit_lines(flops[ok], np.log(sizes[chosen]), log_D[chosen, columns]))
    return np.array(rows).reshape(-1, 4)


def _points(flops: Array, sizes: Array, log_loss: Array, log_D: Array) -> FrontierPoints:
    best, inside = _winner(log_loss, np.ones((1, len(sizes)), dtype=bool))
    columns = np.flatnonzero(inside[0])
    chosen = best[0][columns]
    return FrontierPoints(
        flops=flops[columns],
        n_params=sizes[chosen],
        n_tokens=np.exp(log_D[chosen, columns]),
        loss=np.exp(log_loss[chosen, columns]),
    )


def _resample(flops: Array, sizes: Array, log_loss: Array, log_D: Array, spec: FitSpec) -> Array:
    """Draw sizes with replacement and read the envelope of those drawn."""
    if spec.n_resamples < 1:
        return np.empty((0, 4))
    rng = np.random.default_rng(spec.seed)
    drawn = rng.integers(len(sizes), size=(min(spec.n_resamples, 300), len(sizes)))
    present = np.zeros((len(drawn), len(sizes)), dtype=bool)
    np.put_along_axis(present, drawn, True, axis=1)
    thin = slice(None, None, 10)
    return _lines(flops[thin], sizes, log_loss[:, thin], log_D[:, thin], present)
