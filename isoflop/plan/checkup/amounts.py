"""Amounts: values that no run can have, and sizes, tokens or FLOPs in another unit."""

from dataclasses import replace

from isoflop.base.errors import RunTableError
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import check_units
from isoflop.runs.unit_slips import Slip


def check_amounts(case: Case) -> list[Diagnosis]:
    """Find amounts that cannot be, or hardly can."""
    columns = [c for c in ("n_params", "n_tokens", "flops", "loss") if case.has(c)]
    mended = [_priced(case, slip) for slip in case.slips if not slip.whole]
    try:
        return mended + [_diagnosis(each, case.table) for each in check_units(case.table, columns)]
    except RunTableError as error:
        impossible = Diagnosis(
            code="impossible-values",
            severity="error",
            evidence=str(error),
            consequence="nothing can be fitted to it",
            remedy="correct the row or the unit",
            rows=() if error.row is None else (int(error.row),),
        )
        return [*mended, impossible]


def _priced(case: Case, slip: Slip) -> Diagnosis:
    """A slip of some rows, held against the surface through all rows in one unit."""
    told = _diagnosis(slip.finding(case.table), case.table)
    change = None
    if case.fit is not None and len(slip.columns) == 1:
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
        rows=case.rows(slip.rows),
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
