"""Amounts: values that no run can have, and sizes, tokens or FLOPs in another unit."""

from collections.abc import Sequence
from dataclasses import replace

from isoflop.base.errors import RunTableError
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.impossible import Told
from isoflop.plan.checkup.refit import refit, shift
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import check_units
from isoflop.runs.unit_slips import Slip

MOST_TOLD = 12
"""Kinds of impossible values told in full."""


def check_amounts(case: Case) -> list[Diagnosis]:
    """Find amounts that cannot be, or hardly can."""
    columns = [c for c in ("n_params", "n_tokens", "flops", "loss") if case.has(c)]
    found = [_priced(case, slip) for slip in case.slips if slip.rows.any()]
    if case.impossible:
        found.append(_impossible(case.impossible))
    try:
        rest = [_diagnosis(each, case.table) for each in check_units(case.table, columns)]
        return found + [each for each in rest if not (case.slips and each.code == "units-unlikely")]
    except RunTableError:  # every row is impossible, and said to be
        return found


def _impossible(told: Sequence[Told]) -> Diagnosis:
    count = sum(len(each.rows) for each in told)
    named = {row: run for each in told for row, run in zip(each.rows, each.runs, strict=True)}
    rows = dict(sorted(named.items()))
    return Diagnosis(
        code="impossible-values",
        severity="warning" if {each.column for each in told} == {"n_tokens_unique"} else "error",
        evidence=f"{count} value{'s' * (count > 1)}: "
        + ". ".join(each.text for each in told[:MOST_TOLD])
        + (f". And {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""),
        consequence="nothing can be fitted to these rows; where size, data or loss is meant, the "
        "rest is told without them",
        remedy="correct the rows or the unit; mark a run that failed diverged (`status`)",
        rows=tuple(rows),
        runs=tuple(rows.values()),
        numbers={"n_values": float(count)},
    )


def _priced(case: Case, slip: Slip) -> Diagnosis:
    """A slip; one of some rows is held against the surface through all of them in one unit."""
    told = _diagnosis(slip.finding(case.table), case.table)
    change = None
    if case.fit is not None and len(slip.columns) == 1 and not slip.whole:
        (name,) = slip.columns
        written = case.numbers(name).copy()
        written[slip.rows] /= 10.0**slip.power
        theta = (
            refit(case, n_params=written) if name == "n_params" else refit(case, n_tokens=written)
        )
        change = shift(case, theta, case.fit.theta)
    return replace(
        told,
        consequence=told.consequence + (f": {change}" if change else ""),
        rows=() if slip.whole else case.rows(slip.rows),
        numbers={"power": float(slip.power), "n_rows": float(slip.rows.sum())},
        shift=change,
    )


def _diagnosis(found: Finding, table: RunTable) -> Diagnosis:
    row = dict(zip(table.names(), table.rows.tolist(), strict=True))
    return Diagnosis(
        code=found.code,
        severity=found.severity,
        evidence=found.evidence,
        consequence=found.consequence,
        remedy=found.remedy,
        rows=tuple(row[name] for name in found.runs if name in row),
        runs=found.runs,
    )
