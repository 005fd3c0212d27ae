"""B_crit(L) from the batch sweep, and L(N, S) with the batch taken out by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.runs.table import RunTable
from studies.text.results import Panel, Result, Series, Table, attempt, estimate_cells

SETTLED_STEPS = 500
"""Kaplan's L(N, S) holds after the warm-up's transient."""


def measure_batch(studies: Sequence[Path]) -> Result:
    """Fit B_crit(L); adjust the grid's curves to S_min; fit L(N, S_min).

    Args:
        studies: the grid first, then one study a batch.
    """
    grid, *sweep = studies
    points = isoflop.tabulate_studies(sweep, rows="points")
    critical = attempt(lambda: isoflop.fit_critical_batch(isoflop.steps_to_losses(points)))
    tables = [_critical_table(critical)]
    panels = []
    if not isinstance(critical, str):
        x, y = zip(*((t.loss, t.critical_batch.value) for t in critical.trades), strict=True)
        series = Series("measured", tuple(map(float, x)), tuple(map(float, y)))
        panels.append(Panel("b-crit", "B_crit(L)", "loss", "batch_tokens", (series,)))
    tables.append(_steps_table(isoflop.tabulate_studies([grid], rows="points"), critical))
    return Result(tuple(tables), tuple(panels))


def _critical_table(critical: Any) -> Table:
    fit = critical if isinstance(critical, str) else critical.fit
    published = isoflop.find_published("kaplan-2020-b-crit-l").params
    names = ("B_star", "alpha_B")
    rows = (
        ("here", *estimate_cells(fit, names)),
        ("published: kaplan-2020-b-crit-l", *(published[name] for name in names)),
    )
    return Table("B_crit = B_star/L^(1/alpha_B), tokens", ("source", *names), rows)


def _steps_table(points: RunTable, critical: Any) -> Table:
    """L(N, S_min), and L(N, S) as trained where there is no critical batch to adjust by."""
    settled = points.numbers("steps") >= min(SETTLED_STEPS, 0.25 * points.numbers("steps").max())
    points = points.select(settled & np.isfinite(points.numbers("loss")))
    points = points.with_column("n_params", points.numbers("n_params_non_embedding"))
    names = ("N_c", "alpha_N", "S_c", "alpha_S")
    rows: list[tuple[Any, ...]] = []
    if not isinstance(critical, str):
        adjusted = isoflop.adjust_runs(points, critical.fit)[0]
        found = attempt(lambda: isoflop.fit(adjusted, "kaplan-ns"))
        rows.append(("S_min", *estimate_cells(found, names)))
    found = attempt(lambda: isoflop.fit(points, "kaplan-ns"))
    rows.append(("S as trained", *estimate_cells(found, names)))
    published = isoflop.find_published("kaplan-2020-ns").params
    rows.append(("published: kaplan-2020-ns", *(published[name] for name in names)))
    return Table("L(N, S) of the grid's trunks", ("steps", *names), tuple(rows))
