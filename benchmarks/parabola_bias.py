"""What IsoFLOP parabolas get wrong without any noise, beside the surface fit of the same runs.

`python -m benchmarks.parabola_bias` prints the table of docs/reproductions/isoflop-bias.md:
error of D* at 1e24 FLOPs, 5 budgets 1e17..1e21, 15 sizes a budget. `--json` for one document.

Legend: E, A, B, alpha, beta of L = E + A/N^alpha + B/D^beta; C = 6ND.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isoflop.fitting.frontiers.frontier import fit_lines
from isoflop.fitting.frontiers.optima import Array
from isoflop.fitting.frontiers.valleys import fit_valley, isoflop_groups, read_optima
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.runs.table import RunTable

SURFACES = {
    "sym": np.array([1.69, 406.4, 410.7, 0.31, 0.31]),
    "chin": np.array([1.69, 406.4, 410.7, 0.34, 0.28]),
    "asym": np.array([1.69, 406.4, 410.7, 0.465, 0.155]),
}
DESIGNS = {"centred": (1.0, 1.0), "3x off": (1 / 3, 1.0), "drift to 3x": (1.0, 1 / 3)}
"""{name: (middle of every grid over the optimum, its change from the first budget to the last)}:
the grids lie at a third of the optimal parameters."""
HALF_WIDTHS = (2.0, 4.0, 8.0, 16.0)
BUDGETS = np.geomspace(1e17, 1e21, 5)
POINTS = 15
TARGET = 1e24


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Args:
        surface: its name.
        design: its name.
        half_width: factor from the middle of a grid to its ends.
        tokens: relative error of D* at the target by the parabolas.
        exponent: error of their a.
        refused: budgets whose minimum lies outside the grid, which `isoflop fit` leaves out and
            this table keeps.
        surface_fit: relative error of D* by the law fitted to the same runs.
    """

    surface: str
    design: str
    half_width: float
    tokens: float
    exponent: float
    refused: int
    surface_fit: float


def make_runs(theta: Array, half_width: float, off: float, drift: float) -> RunTable:
    """Noise-free runs on five budgets, sizes evenly spaced in log N."""
    steps = np.linspace(0.0, 1.0, len(BUDGETS))
    centre = np.array([_best_size(theta, c) for c in BUDGETS]) * off * drift**steps
    N = (centre[:, None] * np.geomspace(1 / half_width, half_width, POINTS)).ravel()
    C = np.repeat(BUDGETS, POINTS)
    D = C / (6 * N)
    loss = ChinchillaLaw().predict(theta, {"n_params": N, "n_tokens": D})
    names = ("n_params", "n_tokens", "flops", "loss")
    rows = zip(N.tolist(), D.tolist(), C.tolist(), loss.tolist(), strict=True)
    return RunTable.from_records([dict(zip(names, row, strict=True)) for row in rows])


def measure(surface: str, design: str, half_width: float) -> Cell:
    """Fit one design by both methods, minima outside the grid included."""
    theta, (off, drift) = SURFACES[surface], DESIGNS[design]
    table = make_runs(theta, half_width, off, drift)
    valleys = [fit_valley(table, group) for group in isoflop_groups(table)[0]]
    optima = read_optima(valleys)
    line = fit_lines(optima.flops, np.log(optima.n_params), np.log(optima.n_tokens))
    tokens = np.exp(line[3] + line[2] * np.log(TARGET))
    true_tokens = TARGET / 6 / _best_size(theta, TARGET)
    fit = fit_parametric(table, ChinchillaLaw(), FitSpec(Objective("squared"), n_resamples=0))
    found = TARGET / 6 / _best_size(fit.theta, TARGET)
    return Cell(
        surface=surface,
        design=design,
        half_width=half_width,
        tokens=float(tokens / true_tokens - 1),
        exponent=float(line[0] - theta[4] / (theta[3] + theta[4])),
        refused=sum(bool(valley.verdict) for valley in valleys),
        surface_fit=float(found / true_tokens - 1),
    )


def cells() -> Iterator[Cell]:
    """Every cell, row by row."""
    for surface in SURFACES:
        for design in DESIGNS:
            for half_width in HALF_WIDTHS:
                yield measure(surface, design, half_width)


def main() -> None:
    table = list(cells())
    if "--json" in sys.argv:
        print(json.dumps([vars(cell) for cell in table]))
        return
    print("error of D* at 1e24 FLOPs by parabolas, %; * = minima outside the grid, refused by fit")
    print(f"{'surface':8}{'design':13}" + "".join(f"{f'±{w:g}x':>10}" for w in HALF_WIDTHS)
          + f"{'a at ±8x':>11}{'surface fit':>13}")  # fmt: skip
    for k in range(0, len(table), len(HALF_WIDTHS)):
        row = table[k : k + len(HALF_WIDTHS)]
        errors = "".join(f"{100 * c.tokens:+9.3f}{'*' if c.refused else ' '}" for c in row)
        worst = max(abs(cell.surface_fit) for cell in row)
        print(f"{row[0].surface:8}{row[0].design:13}{errors}{row[2].exponent:+11.5f}{worst:13.1e}")


def _best_size(theta: Array, flops: float) -> float:
    return optimal_params(ChinchillaLaw(), theta, flops)[0]


if __name__ == "__main__":
    main()
