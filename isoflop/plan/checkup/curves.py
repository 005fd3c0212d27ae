"""Curves: points of training curves, or checkpoints of one run, that were taken for runs.

Legend: N parameters, D tokens; a point of a curve is a loss before its run was over.
"""

from collections.abc import Sequence

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import Rows
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift

NAMED = 3
"""Rows of one name, one size and as many amounts of data that make a curve."""
EVEN = 6
"""Amounts of data at one size, evenly spaced, that make one without a name; runs are planned at
even ratios rather than at even distances."""
SPACED = 0.02
"""Relative scatter up to which distances are one."""
SHARE = 0.5
"""Share of the rows in such curves from which it is told where no name tells."""
FEWEST_RUNS = 8


def check_curves(case: Case) -> list[Diagnosis]:
    """Find rows that are points of a few runs' training curves."""
    if not case.has("n_params", "n_tokens", "loss"):
        return []
    curves, how = _named(case), "share a name and a size and differ in data"
    if not curves:
        curves, how = _even(case), "have one size and evenly spaced data, as a log has"
    if not curves:
        return []
    early = np.zeros(len(case.table), dtype=bool)
    tokens = case.numbers("n_tokens")
    for curve in curves:
        early[curve] = tokens[curve] < tokens[curve].max()
    change = None
    if case.fit is not None and (~early).sum() >= FEWEST_RUNS:
        everyone = np.ones(len(early), dtype=bool)
        change = shift(case, refit(case, keep=everyone), refit(case, keep=~early))
    return [
        Diagnosis(
            code="curve-points",
            severity="warning",
            evidence=f"{sum(map(len, curves))} of {len(early)} rows are {len(curves)} curves: "
            f"up to {max(map(len, curves))} rows {how}",
            consequence="a loss before the end of its schedule is too high, and points of one run "
            f"share its error, so every interval is too narrow: {change or 'the law bends'}",
            remedy="keep the last point of every run (isoflop import FILE --columns run=NAME "
            "-o runs.csv does), or read them as curves (--method envelope)",
            rows=case.rows(early),
            runs=case.names(early),
            numbers={"n_curves": float(len(curves)), "n_early": float(early.sum())},
            shift=change,
        )
    ]


def _named(case: Case) -> list[Rows]:
    """Rows, curve by curve, of which the names say that they are one run's."""
    if "run" not in case.table:
        return []
    names = np.array(case.table.text("run"))
    groups = [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist()) if name]
    return _with(case, groups, NAMED)


def _even(case: Case) -> list[Rows]:
    """Rows, curve by curve, that have one size and evenly spaced data; [] if they are few."""
    sizes = case.numbers("n_params")
    groups = _with(case, [np.flatnonzero(sizes == n) for n in np.unique(sizes)], EVEN)
    tokens = case.numbers("n_tokens")
    even = [rows for rows in groups if _is_even(tokens[rows])]
    return even if sum(map(len, even)) >= SHARE * len(sizes) else []


def _with(case: Case, groups: Sequence[Rows], fewest: int) -> list[Rows]:
    """Groups of one size and so many amounts of data."""
    N, D = case.numbers("n_params"), case.numbers("n_tokens")
    return [
        rows
        for rows in groups
        if len(rows) >= fewest and np.ptp(N[rows]) == 0 and len(np.unique(D[rows])) >= fewest
    ]


def _is_even(tokens: Array) -> bool:
    steps = np.diff(np.unique(tokens))
    return bool(np.ptp(steps) <= SPACED * steps.mean())
