"""Tables without a surface: a column that is absent, or runs that cannot tell its parameters."""

from collections.abc import Sequence

from isoflop.plan.checkup.case import NEEDED, Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.runs.checks import how_to_get
from isoflop.runs.finding import Severity

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


def _has_another_law(case: Case) -> bool:
    meant = ("param", "token")  # of sizes and data under a name that nobody knows
    named = any(word in name.lower() for name in case.table.columns for word in meant)
    curve = "loss" in case.table and not named
    return curve or any(name in case.whole for name in OTHER_LAWS)
