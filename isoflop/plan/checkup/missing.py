"""What is missing: cells of finished runs; a column, or runs, that a surface needs."""

from collections.abc import Sequence

import numpy as np

from isoflop.plan.checkup.case import NEEDED, Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.runs.checks import how_to_get
from isoflop.runs.counted import counted
from isoflop.runs.finding import Severity
from isoflop.runs.table import FINISHED

OTHER_LAWS = (
    "accuracy", "error", "error_upstream", "infogain", "loss_unigram", "loss_added",
    "n_params_vocabulary", "n_transferred",
)  # fmt: skip
"""Columns of tables that are no loss surface by design, each with laws of its own."""


def check_surface_exists(case: Case, found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Say that no surface could be fitted, unless an error already found says why.

    A table of scores, of a vocabulary, or of losses with neither sizes nor tokens (by compute, by
    examples) is no surface by design; it gets a warning, since most checks are silent about it.
    """
    if case.fit is not None:
        return []
    absent = [name for name in NEEDED if name not in case.whole and name not in case.table]
    if not absent and any(each.severity == "error" for each in found):
        return []
    severity: Severity = "warning" if absent and _has_another_law(case) else "error"
    why = how_to_get(absent[0], case.whole) if absent else case.why_no_fit
    return [
        Diagnosis(
            code="no-surface",
            severity=severity,
            evidence=why,
            consequence="no surface L(N, D) was fitted: nothing was examined that needs one, and "
            "no consequence could be told",
            remedy="fit the law that these columns are for (isoflop laws)"
            if severity == "warning"
            else "mend that first; isoflop fit refuses the table too",
        )
    ]


def check_missing_values(case: Case) -> list[Diagnosis]:
    """Count the finished runs without their size, data, loss or compute: they are passed over."""
    table = case.whole
    over = np.ones(len(table), dtype=bool)
    if "status" in table:
        over = np.array([status.lower() in FINISHED for status in table.text("status")])
    told = {row for each in case.impossible for row in each.rows}
    over &= ~np.isin(table.rows, list(told))
    columns = [name for name in (*NEEDED, "flops") if name in table]
    empty = {name: over & np.isnan(table.numbers(name)) for name in columns}
    empty = {name: rows for name, rows in empty.items() if rows.any()}
    if not empty:
        return []
    out = np.any(list(empty.values()), axis=0)
    names = table.names()
    each = ", ".join(f"`{name}` in {rows.sum()}" for name, rows in empty.items())
    needed = any(name in NEEDED for name in empty)
    return [
        Diagnosis(
            code="missing-values",
            severity="error" if needed else "warning",
            evidence=f"{counted(int(out.sum()), 'finished run')} of {over.sum()} without a value: "
            f"{each}",
            consequence="nothing here looked at them"
            + ("; isoflop fit refuses the table" if needed else ""),
            remedy="fill them in, set their status if they did not finish, or --drop-rows",
            rows=tuple(int(row) for row in table.rows[out]),
            runs=tuple(names[i] for i in np.flatnonzero(out)),
        )
    ]


def _has_another_law(case: Case) -> bool:
    meant = ("param", "token")  # of sizes and data under a name that nobody knows
    named = any(word in name.lower() for name in case.table.columns for word in meant)
    curve = "loss" in case.table and not named
    return curve or any(name in case.whole for name in OTHER_LAWS)
