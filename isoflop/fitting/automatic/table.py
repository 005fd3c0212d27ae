"""From a run table to an automatic fit."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.automatic.automatic import AutomaticFit, fit_automatic
from isoflop.fitting.one_curve import check_one_compute, choose_curve
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.record import record_data
from isoflop.runs.checks import check_comparable, check_duplicates, keep_usable
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS
from isoflop.runs.table import RunTable


def fit_automatic_table(
    table: RunTable,
    over: str | None,
    spec: FitSpec | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
) -> AutomaticFit:
    """Continue the curve of a run table.

    Args:
        table: the runs or checkpoints.
        over: column of the variable.
        spec: level and seed; the rest belongs to laws with constants and is not read.
        fixed: must be empty: there are no constants to fix.

    Raises:
        InputError: no variable named, or too few points.
        UnknownNameError: no such column.
        RunTableError: a column is absent or incomplete, or losses cannot be compared.
        UnderdeterminedError: a variable that hardly varies.

    >>> rows = [{"n_tokens": 2.0**k, "loss": 2.0 ** (3 - 0.1 * k)} for k in range(10, 30)]
    >>> fit = fit_automatic_table(RunTable.from_records(rows), "n_tokens")
    >>> round(fit.params["exponent"].value, 2)
    0.1
    """
    spec = spec or FitSpec()
    if fixed:
        raise InputError(f"auto has no constants to fix; found {', '.join(fixed)}")
    over = choose_curve(table, over)
    if over in TEXT_COLUMNS or (over not in table and over not in NUMBER_COLUMNS):
        raise UnknownNameError(
            "variable", over, [name for name in table.columns if name not in TEXT_COLUMNS]
        )
    columns = (over, "loss")
    table, findings = keep_usable(table, columns)
    findings += check_comparable(table) + check_duplicates(table, columns)
    x, loss = table.numbers(over), table.numbers("loss")
    fit = fit_automatic(x, loss, over=over, level=spec.level, seed=spec.seed)
    line = np.polynomial.Polynomial.fit(np.log(x), np.log(loss), 1)  # enough within one compute
    findings += check_one_compute(table, (over,), np.asarray(line(np.log(x)) - np.log(loss)))
    return replace(fit, data=record_data(table, columns), findings=(*findings, *fit.findings))
