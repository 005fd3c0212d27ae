"""Copies: runs logged twice, exactly or nearly, that count as two.

Legend: Δ difference of log losses of two runs of one cell, of standard deviation √2·σ if they are
repeats with noise σ.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root_scalar
from scipy.stats import binom, norm

from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import amount_classes, group_cells
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift
from isoflop.runs.columns import COLUMNS, NUMBER_COLUMNS
from isoflop.runs.table import RunTable

NEARLY = 2e-4
"""Difference of log losses of one run logged twice; seeds differ by .1 to 1 %."""
BY_CHANCE = 0.02
"""Probability that as many repeats agree so nearly by chance, from which nothing is told."""
MOSTLY = 0.9
"""Share of the rows with a value of their own from which a column that isoflop
does not know is an id or a measurement."""
FEWEST_APART = 3
"""Repeats that differ, from which their own spread is known."""
MEASURED = ("run", "loss", "accuracy", "error", "error_upstream", "infogain", "loss_unigram",
            "loss_added", "n_transferred", "status")  # fmt: skip

Mask = NDArray[np.bool_]


def check_copies(case: Case) -> list[Diagnosis]:
    """Find rows that repeat another exactly, and rows that nearly do and nothing tells apart."""
    if not case.has("n_params", "n_tokens", "loss"):
        return []
    exact, near, apart = _copies(case)
    found = []
    if exact.any():
        seen = f"{exact.sum()} of {len(exact)} rows repeat another in size, data and loss"
        found.append(_counted_twice(case, "duplicate-runs", exact, seen))
    if near.any() and not _by_chance(case, int(near.sum()), apart):
        seen = (
            f"{near.sum()} of {len(near)} rows differ from another by less than .5 % in size and "
            f"data and by less than {NEARLY:g} in log loss, and no seed or setting tells them apart"
        )
        found.append(_counted_twice(case, "near-duplicate-runs", near, seen))
    return found


def _copies(case: Case) -> tuple[Mask, Mask, list[float]]:
    """Rows that repeat another exactly, those that nearly do, and |Δ| of those that do not."""
    table, loss = case.table, case.numbers("loss")
    amounts = np.stack([case.numbers(c) for c in ("n_params", "n_tokens", "loss")], axis=1)
    settings = np.stack([np.zeros(len(table), dtype=np.int64), *_settings(table)], axis=1)
    exact, near = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    apart: list[float] = []
    for cell in group_cells(table):
        kept: list[int] = []
        for i in cell.tolist():
            same = [j for j in kept if (settings[i] == settings[j]).all()]
            off = [abs(float(np.log(loss[i] / loss[j]))) for j in same]
            exact[i] = any((amounts[i] == amounts[j]).all() for j in same)
            near[i] = not exact[i] and min(off, default=1.0) < NEARLY
            if not exact[i] and not near[i]:
                kept.append(i)
                apart += off
    return exact, near, apart


def _settings(table: RunTable) -> Iterator[NDArray[np.int64]]:
    """Classes of whatever was set, (n_runs,) each: not measured, nor an id that nobody knows.

    Amounts differ if they do by more than those of one cell.
    """
    for name in table.columns:
        if name in NUMBER_COLUMNS and name not in (*MEASURED, "seed"):
            yield amount_classes(table.numbers(name))
        elif name not in MEASURED:
            kinds, classes = np.unique(table.text(name), return_inverse=True)
            if name in COLUMNS or len(kinds) < MOSTLY * len(table):
                yield classes


def _by_chance(case: Case, n_near: int, apart: list[float]) -> bool:
    """Whether repeats that differ by the noise would agree so nearly, as many of them."""
    if len(apart) >= FEWEST_APART:
        deviation = _spread(apart)
    elif case.fit is not None:
        deviation = np.sqrt(2) * case.noise
    else:
        return False
    share = 2 * norm.cdf(NEARLY / max(deviation, 1e-12)) - 1
    return bool(binom.sf(n_near - 1, n_near + len(apart), share) > BY_CHANCE)


def _spread(apart: list[float]) -> float:
    """Standard deviation of Δ by the median of those |Δ| that are no copies', beyond `NEARLY`."""
    middle = float(np.median(apart))

    def beyond(deviation: float) -> float:
        return float(norm.sf(middle / deviation) - norm.sf(NEARLY / deviation) / 2)

    return float(root_scalar(beyond, bracket=(NEARLY / 30, 1e3 * middle)).root)


def _counted_twice(case: Case, code: str, copies: Mask, evidence: str) -> Diagnosis:
    n_runs, left = len(copies), int((~copies).sum())
    narrow = 1 - np.sqrt(left / n_runs)
    change = None
    if case.fit is not None:
        keep = case.steady & ~copies
        change = shift(case, case.fit.theta, refit(case, keep=keep))
    return Diagnosis(
        code=code,
        severity="warning",
        evidence=evidence,
        consequence="they count twice: every interval is too narrow by about "
        f"{100 * narrow:.2g} %, and the law leans towards them: {change or 'unseen'}",
        remedy="drop the copies (--drop-rows), or record the column that tells them apart, such "
        "as `seed`",
        rows=case.rows(copies),
        runs=case.names(copies),
        numbers={"n_copies": float(copies.sum()), "too_narrow": float(narrow)},
        shift=change,
    )
