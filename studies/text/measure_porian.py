"""How the exponent of N*(C) moves with each correction of Kaplan's recipe (Porian et al. 2024)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import isoflop
from isoflop.fitting.frontiers.frontier import Frontier
from studies.text.measure_grid import EXACT_COUNT, KAPLAN_COUNT, find_frontier
from studies.text.results import (
    Panel,
    Result,
    Series,
    Table,
    attempt,
    estimate_cells,
    headline_row,
)
from studies.text.tables import average_seeds

STEPS = (
    ("Kaplan's recipe, non-embedding N and C = 6ND", 0, KAPLAN_COUNT, "0.835 [0.824, 0.846]"),
    ("+ head counted, in N and in C", 0, EXACT_COUNT, "0.706 [0.691, 0.717]"),
    ("+ warm-up as long as the model is large", 1, EXACT_COUNT, "0.602 [0.591, 0.617]"),
    ("+ cosine as long as the run", 2, EXACT_COUNT, "0.571 [0.560, 0.589]"),
    ("constant rate, tuned per size", 3, EXACT_COUNT, "0.497 [0.491, 0.505]"),
    ("tuned, counted as Kaplan did", 3, KAPLAN_COUNT, "0.711"),
)
"""(what changes, which study, which count, Porian's a on RefinedWeb with its 95 % interval), in
Porian's order (arXiv 2406.19146). He tunes rate, batch and beta2; here the rate alone is tuned."""

PUBLISHED = {STEPS[0][0]: "kaplan-2020-n-opt", STEPS[4][0]: "hoffmann-2022-a1-n-opt"}
"""{step: the published law that it should come to}"""


def measure_porian(studies: Sequence[Path]) -> Result:
    """Fit N*(C) after every correction.

    Args:
        studies: under Kaplan's recipe, warm-up scaled, cosine matched, tuned.
    """
    rows, series, headline = [], [], []
    for label, study, count, published in STEPS:
        runs = average_seeds(isoflop.tabulate_studies([studies[study]]))
        found: Any = attempt(lambda runs=runs, count=count: find_frontier(runs, count))
        rows.append((label, *estimate_cells(found, ("a",)), published, count))
        if isinstance(found, Frontier):
            x, y = found.points.flops, found.points.n_params
            series.append(Series(label, tuple(map(float, x)), tuple(map(float, y)), look="joined"))
        if label in PUBLISHED:
            name = PUBLISHED[label]
            headline.append(headline_row(f"a of N*(C), {label}", found, "a", name, "p"))
    columns = ("recipe", "a of N* ∝ C^a", "Porian et al. 2024, RefinedWeb, 95 %", "counted")
    return Result(
        (Table("The exponent after each correction", columns, tuple(rows)),),
        (Panel("porian", "N*(C) after each correction", "flops", "n_params", tuple(series)),),
        ("Kaplan's steps are kept and his batch is not: 3000 steps of warm-up here are "
         "3000 batches of this study. Porian's last step tunes rate, batch "
         "and beta2; here the rate alone is tuned.",),
        tuple(headline),
    )  # fmt: skip
