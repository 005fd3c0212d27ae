"""L(N), L(D), L(C), L(N, D), N_opt(C), what counting does, and L(T), all from the grid."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.fitting.frontiers.frontier import Frontier
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
    slope_line,
)
from studies.text.tables import COUNTS, at_largest, average_seeds, equal_budgets, recount, sizes_of

KAPLAN_FIGURE_20 = {"smallest": (4.0, 3.2, 0.47), "largest": (2.3, 5.4, 0.62)}
"""Kaplan et al. 2020, legend of figure 20, nats a BPE token: second hand."""
Cut = tuple[RunTable, str, str]
"""Runs where the other variables do not bind, the variable, Kaplan's law of it."""
KAPLAN_COUNT = "non-embedding, C = 6ND"
EXACT_COUNT = "with head, every product"
_PUBLISHED_COUNT = {
    KAPLAN_COUNT: ("kaplan-2020-n-opt", "Kaplan's"),
    EXACT_COUNT: ("hoffmann-2022-a1-n-opt", "Hoffmann's"),
}
"""{count: (the published law that counts so, whose)}"""


def measure_laws(studies: Sequence[Path]) -> Result:
    """Fit the laws of one variable, each where the others do not bind, and the joint ones."""
    runs = average_seeds(isoflop.tabulate_studies(list(studies)))
    table = recount(runs, KAPLAN_COUNT)
    frontier = attempt(lambda: find_frontier(runs, KAPLAN_COUNT))
    cuts = {
        "L(N)": (at_largest(table, "n_tokens"), "n_params", "kaplan-2020-l-n"),
        "L(D)": (at_largest(table, "n_params"), "n_tokens", "kaplan-2020-l-d"),
    }
    if isinstance(frontier, Frontier):
        cuts["L(C)"] = (frontier_table(frontier), "flops", "kaplan-2020-l-c")
    singles, headline = _single(cuts)
    return Result(
        tables=(singles, _joint(table)),
        panels=tuple(_panel(name, cut, table) for name, cut in cuts.items()),
        headline=headline,
        notes=(
            "Losses are nats per byte, Kaplan's and Hoffmann's nats per token of a BPE: exponents "
            "compare, amounts do not. N counts non-embedding parameters, C = 6ND, as Kaplan did.",
        ),
    )


def measure_optimum(studies: Sequence[Path]) -> Result:
    """Fit N*(C) under every count: the embedding, and the head's FLOPs, in and out."""
    runs = average_seeds(isoflop.tabulate_studies(list(studies)))
    rows, series, headline = [], [], []
    for count in COUNTS:
        found: Any = attempt(lambda count=count: find_frontier(runs, count))
        rows.append((count, *estimate_cells(found, ("a", "b"))))
        if isinstance(found, Frontier):
            points = found.points
            x, y = _floats(points.flops), _floats(points.n_params)
            series.append(Series(count, x, y))
            if count in _PUBLISHED_COUNT:
                name, words = _PUBLISHED_COUNT[count]
                p = isoflop.find_published(name).params["p"]
                series += slope_line(x, y, p, f"{words} slope, {p:g}")
                headline.append(headline_row(f"a of N*(C), {count}", found, "a", name, "p"))
    published = ("kaplan-2020-n-opt", "hoffmann-2022-a1-n-opt", "hoffmann-2022-a2-n-opt")
    for name in published:
        p = isoflop.find_published(name).params["p"]
        rows.append((f"published: {name}", p, 1 - p))
    columns = ("N and C counted", "a of N* ∝ C^a", "b of D* ∝ C^b")
    return Result(
        tables=(Table("Compute-optimal size by what is counted", columns, tuple(rows)),),
        panels=(Panel("n-opt", "N*(C) by count", "flops", "n_params", tuple(series)),),
        headline=tuple(headline),
    )


def measure_context(studies: Sequence[Path]) -> Result:
    """Fit L(T) = E + A/T^alpha of every size's longest run (Kaplan et al. 2020, figure 20)."""
    table = at_largest(isoflop.tabulate_studies(list(studies), rows="positions"), "n_tokens")
    table = average_seeds(table, keys=("n_params", "position"))
    rows, series = [], []
    for size in sizes_of(table):
        own = table.select(table.numbers("n_params") == size)
        found = attempt(lambda own=own: isoflop.fit(own, "per-token"))
        rows.append((size, *estimate_cells(found, ("E", "A", "alpha"))))
        label, x = f"{size:,.0f} parameters", _floats(own.numbers("position"))
        series.append(Series(label, x, _floats(own.numbers("loss"))))
        series += fitted_line(found, "position", x, label)
    for of, constants in KAPLAN_FIGURE_20.items():
        rows.append((f"published: Kaplan's figure 20, {of} model (unverified)", *constants))
    columns = ("N, total", "E", "A", "alpha")
    panel = Panel("per-position", "L(T) by size", "position", "loss", tuple(series))
    return Result((Table("Loss by tokens of context", columns, tuple(rows)),), (panel,))


def find_frontier(runs: RunTable, count: str) -> Frontier:
    """Fit N*(C) through IsoFLOP curves of equal budgets, under one count."""
    found = isoflop.fit(equal_budgets(recount(runs, count)), method="isoflop")
    assert isinstance(found, Frontier)
    return found


def frontier_table(frontier: Frontier) -> RunTable:
    """Return the bottoms of the IsoFLOP curves as a table of C and L."""
    points = frontier.points
    rows = [
        {"flops": float(c), "loss": float(loss)}
        for c, loss in zip(points.flops, points.loss, strict=True)
    ]
    return RunTable.from_records(rows, source="bottoms of the IsoFLOP curves")


def _single(cuts: Mapping[str, Cut]) -> tuple[Table, tuple[tuple[Any, ...], ...]]:
    rows, headline = [], []
    for name, (table, variable, published) in cuts.items():
        kaplan = isoflop.find_published(published).params["alpha"]
        for form in ("power", "power-constant"):
            found = attempt(lambda t=table, f=form, v=variable: isoflop.fit(t, f, over=v))
            floor = estimate_cells(found, ("E",)) if form == "power-constant" else ("–",)
            cells = ("alpha", "A")
            rows.append((name, form, len(table), *estimate_cells(found, cells), *floor, kaplan))
            if form == "power":
                amount = f"{name}: alpha of a power law"
                headline.append(headline_row(amount, found, "alpha", published, "alpha"))
    columns = ("law", "form", "points", "alpha", "A", "E", "Kaplan's alpha")
    return Table("Laws of one variable", columns, tuple(rows)), tuple(headline)


def _joint(table: RunTable) -> Table:
    rows = []
    for law in ("kaplan-nd", "kaplan-nd-constant", "chinchilla"):
        found: Any = attempt(lambda law=law: isoflop.fit(table, law))
        if isinstance(found, str):
            rows.append((law, found, "–"))
            continue
        words = ", ".join(f"{name} {value}" for name, value in found.params.items())
        rows.append((law, words, found.rms))
    for name in ("kaplan-2020-nd", "hoffmann-2022"):
        params = isoflop.find_published(name).params.items()
        rows.append((f"published: {name}", ", ".join(f"{k} {v:.4g}" for k, v in params), "–"))
    columns = ("form", "constants", "RMS of log L")
    return Table("L(N, D)", columns, tuple(rows))


def _panel(name: str, cut: Cut, runs: RunTable) -> Panel:
    """The runs of a cut, the laws fitted to them, and Kaplan's slope through their middle."""
    table, variable, published = cut
    stem = name.lower().replace("(", "-").replace(")", "")
    x, y = _floats(table.numbers(variable)), _floats(table.numbers("loss"))
    kaplan = isoflop.find_published(published).params["alpha"]
    series = [] if variable != "flops" else _learning_curves(runs)
    series.append(Series("bottoms of IsoFLOP curves" if variable == "flops" else "runs", x, y))
    for form, label in (("power", "power law"), ("power-constant", "power law + constant")):
        found = attempt(lambda form=form: isoflop.fit(table, form, over=variable))
        series += fitted_line(found, variable, x, label)
    series += slope_line(x, y, -kaplan, f"Kaplan's slope, {kaplan:g}")
    return Panel(stem, name, variable, "loss", tuple(series))


def _learning_curves(runs: RunTable) -> list[Series]:
    """Every size's losses by its compute, to stand behind L(C)."""
    curves = []
    for size in sizes_of(runs):
        own = runs.select(runs.numbers("n_params") == size)
        order = np.argsort(own.numbers("flops"))
        x, y = (_floats(own.numbers(name)[order]) for name in ("flops", "loss"))
        curves.append(Series("runs of one size", x, y, look="faint"))
    return curves


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(x) for x in np.asarray(values))
