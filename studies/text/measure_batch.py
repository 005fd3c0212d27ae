"""B_crit(L) from the batch sweep, and L(N, S) with the batch taken out by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import isoflop
from isoflop.runs.table import RunTable
from studies.text.results import (
    Panel,
    Result,
    Series,
    Table,
    attempt,
    estimate_cells,
    fitted_line,
    headline_row,
)
from studies.text.tables import Array

NEIGHBOURS = 5
"""Points of a trunk over which the moments of its gradient are averaged."""
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
    width = isoflop.tabulate_studies(sweep[:1]).numbers("n_params")[0]
    trunks = isoflop.tabulate_studies([grid], rows="points")
    noise = noise_by_loss(trunks.select(trunks.numbers("n_params") == width))
    tables = [_critical_table(critical)]
    headline: tuple[tuple[Any, ...], ...] = ()
    if not isinstance(critical, str):
        tables.append(_trades_table(critical, noise))
        published = "kaplan-2020-b-crit-l"
        amount = "alpha_B of B_crit(L)"
        headline = (headline_row(amount, critical.fit, "alpha_B", published, "alpha_B"),)
    tables.append(_steps_table(trunks, critical))
    panels = (_critical_panel(critical, noise),)
    return Result(tuple(tables), panels, _reach(critical, trunks), headline)


def _reach(critical: Any, points: RunTable) -> tuple[str, ...]:
    """Say how many of the grid's points lie at losses where B_crit(L) was not measured."""
    if isinstance(critical, str):
        return ()
    known = [float(trade.loss) for trade in critical.trades]
    loss = points.numbers("loss")
    beyond = np.mean((loss < min(known)) | (loss > max(known)))
    return (
        f"S_min is taken from B_crit(L) at every loss of the grid, and {100 * beyond:.0f} % of its "
        f"points lie beyond the losses of the batch sweep, {min(known):.3f} to {max(known):.3f}: "
        "the constants of L(N, S_min) stand or fall with that trend.",
    )


def noise_by_loss(points: RunTable) -> tuple[Array, Array]:
    """Losses along trunks, falling, and the gradient noise scale there: tr(Sigma)/|G|^2, tokens.

    Both moments are averaged over neighbours before they are divided, as McCandlish et al. 2018
    (appendix A.1) advise: one point's ratio scatters by a factor of two.
    """
    kept = points.select(np.isfinite(points.numbers("grad_sq")))
    order = np.argsort(-kept.numbers("loss"))
    amounts = [kept.numbers(name)[order] for name in ("loss", "grad_trace", "grad_sq")]
    if len(order) < NEIGHBOURS:
        return np.zeros(0), np.zeros(0)
    loss, trace, square = (sliding_window_view(x, NEIGHBOURS).mean(axis=-1) for x in amounts)
    positive = square > 0
    return loss[positive], trace[positive] / square[positive]


def _trades_table(critical: Any, noise: tuple[Array, Array]) -> Table:
    """Every loss with its hyperbola, beside the noise scale of the same width at this loss."""
    rows = [
        (
            f"{t.loss:.3f}",
            *(each.to_dict() for each in (t.steps_min, t.tokens_min, t.critical_batch)),
            noise_at(t.loss, noise),
        )
        for t in critical.trades
    ]
    columns = ("loss", "S_min", "E_min", "B_crit, tokens", "gradient noise scale, tokens")
    return Table("Steps against tokens at one loss", columns, tuple(rows))


def noise_at(loss: float, noise: tuple[Array, Array]) -> Any:
    """Return the noise scale read between the losses of a trunk; a dash beyond them."""
    losses, scale = noise
    if not len(losses) or not losses.min() <= loss <= losses.max():
        return "–"
    return float(np.exp(np.interp(-loss, -losses, np.log(scale))))


def _critical_panel(critical: Any, noise: tuple[Array, Array]) -> Panel:
    series = []
    if not isinstance(critical, str):
        losses = [float(t.loss) for t in critical.trades]
        batches = tuple(float(t.critical_batch.value) for t in critical.trades)
        series.append(Series("B_crit of the batch sweep", tuple(losses), batches))
        series += fitted_line(critical.fit, "loss", losses, "B_crit of the batch sweep")
    x, y = (tuple(map(float, values)) for values in noise)
    series.append(Series("gradient noise scale, same width", x, y, look="joined"))
    labels = ("loss (nats/byte)", "batch (bytes)")
    return Panel("b-crit", "B_crit(L)", "loss", "batch_tokens", tuple(series), labels)


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

    def row(label: str, table: RunTable) -> tuple[Any, ...]:
        found: Any = attempt(lambda: isoflop.fit(table, "kaplan-ns"))
        return (label, *estimate_cells(found, names), "–" if isinstance(found, str) else found.rms)

    rows: list[tuple[Any, ...]] = []
    if not isinstance(critical, str):
        adjusted = isoflop.adjust_runs(points, critical.fit)[0]
        rows.append(row("S_min", adjusted))
    rows.append(row("S as trained", points))
    published = isoflop.find_published("kaplan-2020-ns").params
    rows.append(("published: kaplan-2020-ns", *(published[name] for name in names), "–"))
    columns = ("steps", *names, "RMS of log L")
    return Table("L(N, S) of the grid's trunks", columns, tuple(rows))
