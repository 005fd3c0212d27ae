"""Li et al. 2025, Step law: the authors' bootstrap fits, and a regression on the runs they left.

Legend: best rate η = k·N^p·D^q, best batch B = k·D^q tokens; a run of the authors' grid is near
the best within .25 % of the lowest smoothed loss of its size and data.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.law import Array
from isoflop.laws.tuning import BatchLaw, LearningRateLaw
from isoflop.runs.table import RunTable

TABLE = "li-2025-step-law"
FITS = "step-law/bootstrap_fits.csv"
SQUARES = FitSpec(Objective("squared"), n_resamples=0)
SEQUENCE = 2048
NEAR, SMOOTH = 0.0025, "smooth loss"
RESAMPLES, SEED = 1000, 0
OTHER_RUNS = "another choice of runs: below"
CUT = "1.797, cut to three digits"
PRINTED: Mapping[str, str] = {
    "rate: coefficient": "1.79",
    "rate: power of N": "-.713",
    "rate: power of D": ".307",
    "batch: coefficient": ".58",
    "batch: power of D": ".571",
}


def step_law(data: Path) -> Iterator[Reproduced]:
    """The rules as means of the authors' fits; then from the runs they published."""
    for (what, printed), mean in zip(PRINTED.items(), authors_fits(data).mean(axis=0), strict=True):
        ours = float(np.exp(mean)) if "coefficient" in what else float(mean)
        yield Reproduced("mean of their 1,000 fits", what, printed, ours, CUT)
    for (what, printed), ours in zip(PRINTED.items(), refit(near_best()), strict=True):
        yield Reproduced("their 129 near-best runs", what, printed, float(ours), OTHER_RUNS)


def lines(data: Path) -> Iterator[str]:
    """Every line of the page."""
    yield from (row.line() for row in step_law(data))
    theirs, ours = authors_fits(data), resampled()
    for k, what in enumerate(PRINTED):
        if "power" in what:
            ends = (np.quantile(fits[:, k], (0.05, 0.95)) for fits in (theirs, ours))
            yield f"| {what} | {' | '.join(f'{low:.3f} to {high:.3f}' for low, high in ends)} |"
    for column in (SMOOTH, "loss"):
        for near in (0.001, NEAR, 0.005):
            table = near_best(near, column)
            _, p, q, _, batch = refit(table)
            shown = f"{len(table)} | {p:.3f} | {q:.3f} | {batch:.3f}"
            yield f"| {'smoothed' if column == SMOOTH else 'raw'}, {100 * near:g} % | {shown} |"


def authors_fits(data: Path) -> Array:
    """(1000, 5) of the authors' bootstrap: log k, p, q of the rate; log k, q of the batch."""
    with (data / FITS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ("lr_intercept", "lr_coefN", "lr_coefD", "bs_intercept", "bs_coefD")
    return np.array([[float(row[name]) for name in names] for row in rows])


def near_best(near: float = NEAR, column: str = SMOOTH) -> RunTable:
    """Runs within a share of the lowest loss of their size and data."""
    table = published_runs(TABLE)
    N, D, rate = (table.numbers(name) for name in ("n_params", "n_tokens", "lr"))
    loss, batch = (np.array(table.text(name), dtype=float) for name in (column, "bs"))
    _, cell = np.unique(np.stack([N, D]), axis=1, return_inverse=True)
    lowest = np.array([loss[cell == k].min() for k in range(cell.max() + 1)])
    columns = np.stack([N, D, rate, batch * SEQUENCE], axis=1)[loss / lowest[cell] - 1 < near]
    names: list[str] = ["n_params", "n_tokens", "lr", "batch_tokens"]
    rows = [dict(zip(names, row, strict=True)) for row in columns.tolist()]
    return RunTable.from_records(rows)


def refit(table: RunTable) -> Array:
    """(5,) of both rules: k, p, q of the rate; k, q of the batch."""
    rate = fit_parametric(table, LearningRateLaw(), SQUARES).theta
    batch = fit_parametric(table, BatchLaw(), SQUARES).theta
    return np.concatenate([rate, batch])


def resampled() -> Array:
    """(1000, 5) of log k and powers: lines through logarithms, runs drawn with replacement."""
    table, rng = near_best(), np.random.default_rng(SEED)
    N, D, rate, batch = (
        np.log(table.numbers(name)) for name in ("n_params", "n_tokens", "lr", "batch_tokens")
    )
    found = []
    for _ in range(RESAMPLES):
        rows = rng.integers(len(N), size=len(N))
        ones = np.ones(len(rows))
        by_rate = np.linalg.lstsq(np.stack([ones, N[rows], D[rows]], axis=1), rate[rows])[0]
        by_batch = np.linalg.lstsq(np.stack([ones, D[rows]], axis=1), batch[rows])[0]
        found.append(np.concatenate([by_rate, by_batch]))
    return np.array(found)
