"""Porian et al. 2024: the exponent of N* under each correction of Kaplan's recipe.

Three ways from the IsoFLOP points of github.com/formll/resolving-scaling-law-discrepancies (MIT):
the authors' procedure run again, its last step on the optima they recorded, and
`isoflop fit --method isoflop`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator

from benchmarks._agreement import digits_agreed, write_plain
from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.runs.table import RunTable

Array = NDArray[np.float64]
KEYS = ("file", "dataset", "hparams", "warmup", "decay", "param_count", "val")
REPLICAS, STEPS = 1000, 25
"""Noisy copies of a budget's losses, and points of the interpolation from one size to the next."""
NOISE = {"rw": 0.002, "owt2": 0.01}
"""Standard deviation of the loss between seeds, by corpus; see docs/reproductions/porian.md."""
FACTOR = 10.0
"""Sizes farther than this from a budget's best run are left out of the narrow fits."""


@dataclass(frozen=True)
class Rung:
    """One correction.

    Args:
        name: what was corrected, with all above it.
        published: exponent the paper prints.
        recipe: the values of `KEYS`.
    """

    name: str
    published: str
    recipe: tuple[str, ...]


_STEPS = (
    ("Kaplan's recipe and count", "base-long-kaplan-kaplan-train"),
    ("+ FLOPs of the last layer", "base-long-kaplan-standard-val"),
    ("+ warm-up scaled to the size", "base-short-kaplan-standard-val"),
    ("+ cosine as long as the run", "base-short-chinchilla-standard-val"),
    ("+ rate, batch, β2 tuned; no decay", "tuned-short-const-standard-val"),
)
_ATTENTION = ("base-long-kaplan", "base-short-kaplan", "base-short-chinchilla", "tuned-short-const")


def _rungs() -> Iterator[Rung]:
    corpora = (
        ("summary_df", "rw", "RefinedWeb", (".835", ".706", ".602", ".571", ".497")),
        ("summary_df_owt2", "owt2", "OpenWebText2", (".864", ".699", ".603", ".574", ".518")),
    )
    for file, corpus, name, printed in corpora:
        for (step, recipe), published in zip(_STEPS, printed, strict=True):
            yield Rung(f"{name}: {step}", published, (file, corpus, *recipe.split("-")))
    names = [step for step, _ in _STEPS[1:]]
    for step, recipe, published in zip(
        names, _ATTENTION, (".717", ".622", ".577", ".505"), strict=True
    ):
        key = ("summary_df_att", "rw", *recipe.split("-"), "attention", "train")
        yield Rung(f"attention counted: {step}", published, key)
    key = ("summary_df_kaplan_tuned_hparams", "rw", "tuned", "long", "const", "kaplan", "train")
    yield Rung("Kaplan's count, rate and batch tuned", ".711", key)


RUNGS = tuple(_rungs())


def runs_of(rung: Rung) -> RunTable:
    """Return the IsoFLOP points of one correction."""
    table = published_runs("porian-2024-isoflop")
    keep = np.ones(len(table), dtype=bool)
    for column, value in zip(KEYS, rung.recipe, strict=True):
        keep &= np.array(table.text(column)) == value
    return table.select(keep)


def narrow(table: RunTable) -> RunTable:
    """Keep the runs within a factor of each budget's best size."""
    flops, N, loss = (table.numbers(name) for name in ("flops", "n_params", "loss"))
    best = np.array([N[flops == c][loss[flops == c].argmin()] for c in flops])
    return table.select(np.abs(np.log(N / best)) <= np.log(FACTOR))


def authors_exponent(table: RunTable, *, noise: float, seed: int = 0) -> float:
    """Exponent of N* by the authors' procedure.

    Akima interpolation of log loss over log N at each budget; of a thousand copies with the noise
    of seeds, the median of the minima is the optimum and their spread its weight; budgets whose
    minimum is the smallest or largest size are left out; a weighted line through the logarithms.
    """
    rng = np.random.default_rng(seed)
    flops, N, loss = (table.numbers(name) for name in ("flops", "n_params", "loss"))
    optima = []
    for c in np.unique(flops):
        order = np.argsort(N[flops == c])
        copies = noise * rng.standard_normal((len(order), REPLICAS))
        found = _optimum(np.log(N[flops == c][order]), loss[flops == c][order], copies)
        if found is not None:
            optima.append((np.log(c), *found))
    return weighted_slope(*np.array(optima).T)


def _optimum(log_N: Array, loss: Array, noise: Array) -> tuple[float, float] | None:
    """Median and standard deviation of log N*, None where the grid does not hold it."""
    grid = np.linspace(log_N[0], log_N[-1], (len(log_N) - 1) * STEPS)
    last = len(grid) - 1
    if Akima1DInterpolator(log_N, np.log(loss))(grid).argmin() in (0, last):
        return None
    lowest = Akima1DInterpolator(log_N, np.log(loss[:, None] + noise))(grid).argmin(axis=0)
    inside = lowest[(lowest != 0) & (lowest != last)]
    if len(inside) < REPLICAS / 2:
        return None
    least = 0.33 * STEPS * (grid[1] - grid[0])  # a third of the distance between sizes
    spread = max(float(grid[inside].std()), least) * REPLICAS / len(inside)
    return float(np.median(grid[inside])), spread


def weighted_slope(x: Array, y: Array, spread: Array) -> float:
    """Slope of the line through y over x, weights 1/spread²."""
    weights = 1 / spread**2
    centre = np.average(x, weights=weights)
    return float(np.sum(weights * (x - centre) * y) / np.sum(weights * (x - centre) ** 2))


def recorded_exponent(rung: Rung, path: Path) -> float:
    """Exponent of N* by a weighted line through the optima that the authors recorded."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            [float(row[name]) for name in ("flops", "n_star", "n_star_std")]
            for row in csv.DictReader(file)
            if tuple(row[key] for key in KEYS) == rung.recipe and row["n_star"]
        ]
    flops, optimum, spread = np.array(rows).T
    return weighted_slope(np.log(flops), np.log(optimum), spread)


def isoflop_exponent(table: RunTable) -> tuple[Estimate, int, int] | None:
    """Exponent a by `isoflop fit --method isoflop`, with budgets used and budgets there."""
    try:
        fit = fit_isoflop(table)
    except RefusalError:
        return None
    return fit.params["a"], len(fit.points.flops), len(fit.valleys)


def ladder_lines(optima: Path | None, rungs: tuple[Rung, ...] = RUNGS) -> Iterator[str]:
    """Yield the page's table, a line a correction."""
    for rung in rungs:
        table = runs_of(rung)
        recorded = _cells(rung, recorded_exponent(rung, optima)) if optima else " | "
        again = _cells(rung, authors_exponent(table, noise=NOISE[rung.recipe[1]]))
        ours = f"{_show(isoflop_exponent(table))} | {_show(isoflop_exponent(narrow(table)))}"
        yield f"| {rung.name} | {rung.published} | {recorded} | {again} | {ours} |"


def _cells(rung: Rung, value: float) -> str:
    shown = write_plain(value, rung.published)
    return f"{shown} | {digits_agreed(rung.published, value)}"


def _show(found: tuple[Estimate, int, int] | None) -> str:
    if found is None:
        return "refused | "
    a, used, there = found
    low, high = (write_plain(float(end), ".00") for end in (a.low, a.high))  # type: ignore[arg-type]
    return f"{write_plain(a.value, '.000')} [{low}, {high}] | {used} of {there}"
