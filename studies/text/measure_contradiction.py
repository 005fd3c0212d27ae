"""The contradiction at toy scale: one-epoch curves against L(D), and where the trends cross.

Legend: U distinct tokens; L_D(U) the lowest loss reached on them however often they are read;
L(N, E) the loss of a model of N parameters after one epoch of E tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.plan.contradiction.extractor import extractor_efficiency
from isoflop.runs.ladders.evaluation import name_test_set
from isoflop.runs.table import RunTable
from studies.text.measure_grid import EXACT_COUNT, find_frontier, frontier_table
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
from studies.text.tables import average_seeds, sizes_of

IGNORANT = math.log(256)
"""Nats per byte of a model that knows nothing."""


def measure_contradiction(studies: Sequence[Path]) -> Result:
    """Fit L_D on repeated texts, hold one-epoch curves against it, solve for the crossing.

    Args:
        studies: the grid, then one study a number of distinct bytes.
    """
    grid, *limited = studies
    corpus = name_test_set(isoflop.Study.open(grid).ladder.corpus)
    lowest = _lowest_losses(isoflop.tabulate_studies(limited), f"loss_{corpus}")
    data_law = attempt(lambda: isoflop.fit(lowest, "kaplan-d"))
    runs = average_seeds(isoflop.tabulate_studies([grid]))
    tables = (
        _data_table(lowest, data_law),
        _efficiency_table(runs, data_law),
        _crossing_table(runs, data_law),
    )
    note = (
        "L_D is the lowest loss over epochs of one wide model, so an upper bound of the loss that "
        "its distinct bytes allow; at this scale an irreducible loss is not told from a trend."
    )
    amount = "alpha of L_D(U), many epochs"
    headline = (headline_row(amount, data_law, "alpha", "kaplan-2020-l-d", "alpha"),)
    return Result(tables, (_panel(runs, lowest, data_law),), (note,), headline)


def _lowest_losses(table: RunTable, column: str) -> RunTable:
    """The best of every text's epochs: U and L_D(U)."""
    unique, loss = table.numbers("n_tokens_unique"), table.numbers(column)
    epochs = table.numbers("n_tokens")
    dataset = np.array(table.text("dataset"))
    rows = []
    for name in dict.fromkeys(dataset):
        own = np.flatnonzero((dataset == name) & np.isfinite(loss))
        best = own[int(np.argmin(loss[own]))]
        size = float(unique[own].max())
        row = {"n_tokens": size, "loss": float(loss[best]), "epochs": float(epochs[best] / size)}
        row["most"] = float(epochs[best] == epochs[own].max())
        rows.append({**row, "loss_unit": "nats/token"})
    return RunTable.from_records(rows, source="lowest losses on repeated texts")


def _data_table(lowest: RunTable, law: Any) -> Table:
    rows: list[tuple[Any, ...]] = [
        (f"{u:.4g}", f"{loss:.4f}", f"{epochs:.1f}{', the most tried' if most else ''}")
        for u, loss, epochs, most in zip(
            *(lowest.numbers(name) for name in ("n_tokens", "loss", "epochs", "most")), strict=True
        )
    ]
    rows.append(("alpha_D here", *estimate_cells(law, ("alpha",)), "–"))
    kaplan = isoflop.find_published("kaplan-2020-l-d").params["alpha"]
    rows.append(("alpha_D of kaplan-2020-l-d", kaplan, "–"))
    return Table("L_D(U)", ("distinct tokens U", "L_D", "best after epochs"), tuple(rows))


def _efficiency_table(runs: RunTable, law: Any) -> Table:
    """Extractor efficiency of every size after one epoch of every budget."""
    budgets = [float(x) for x in np.unique(runs.numbers("n_tokens"))]
    columns = ("N, total", *(f"E = {x:.3g}" for x in budgets))
    title = "Extractor efficiency after one epoch, (L_0 − L)/(L_0 − L_D)"
    if not isinstance(law, Fit):
        return Table(title, ("N, total", "why not"), (("–", law),))
    rows = []
    for size in sizes_of(runs):
        cells: list[Any] = [size]
        for budget in budgets:
            at = (runs.numbers("n_params") == size) & (runs.numbers("n_tokens") == budget)
            floor = law.law.predict(law.theta, {"n_tokens": np.array([budget])})
            loss = runs.numbers("loss")[at]
            cells.append(
                float(extractor_efficiency(loss, floor, ignorant=IGNORANT)[0]) if at.any() else "–"
            )
        rows.append(tuple(cells))
    return Table(title, columns, tuple(rows))


def _crossing_table(runs: RunTable, law: Any) -> Table:
    columns = ("amount", "here", "with Kaplan's constants")
    title = "Where the compute trend meets the data trend"
    kaplan = isoflop.find_crossing()
    here = attempt(lambda: cross(runs, law))
    names = ("flops", "n_params", "n_tokens", "loss")
    if isinstance(here, str):
        first = ("why not", here, "–")
        return Table(
            title, columns, (first, *((n, "–", getattr(kaplan, n).to_dict()) for n in names))
        )
    rows = tuple((n, getattr(here, n).to_dict(), getattr(kaplan, n).to_dict()) for n in names)
    return Table(title, columns, (*rows, ("share of draws that cross", here.share_crossing, 1.0)))


def cross(runs: RunTable, law: Any) -> Any:
    """Solve for the compute at which the runs' frontier meets the data law."""
    if not isinstance(law, Fit):
        raise isoflop.RefusalError(str(law))
    frontier = find_frontier(runs, EXACT_COUNT)
    assert isinstance(frontier, Frontier)
    compute = isoflop.fit(frontier_table(frontier), "kaplan-c")
    assert isinstance(compute, Fit)
    return isoflop.find_crossing(compute, law, tokens_rule=frontier)


def _panel(runs: RunTable, lowest: RunTable, law: Any) -> Panel:
    series = []
    for size in sizes_of(runs):
        own = runs.select(runs.numbers("n_params") == size)
        order = np.argsort(own.numbers("n_tokens"))
        x, y = (tuple(map(float, own.numbers(n)[order])) for n in ("n_tokens", "loss"))
        series.append(Series(f"{size:,.0f} parameters, one epoch", x, y, look="joined"))
    x, y = (tuple(map(float, lowest.numbers(n))) for n in ("n_tokens", "loss"))
    series.append(Series("lowest over epochs, L_D", x, y, look="reference"))
    ends = (*x, float(runs.numbers("n_tokens").max()))
    series += (
        replace(line, look="dashed") for line in fitted_line(law, "n_tokens", ends, "L_D, fitted")
    )
    title = "One-epoch losses of growing N, and L_D"
    return Panel("one-epoch", title, "n_tokens", "loss", tuple(series))
