"""Does a designed ladder forecast as well as an IsoFLOP grid of twice its compute?

`python -m benchmarks.ladder_design [--studies N] [--share S] [--json]` prints the table of
docs/how-to-choose.md: studies on four planted surfaces with .5 % noise, each fitted to an
equal-spaced IsoFLOP grid (7 budgets 1e18..1e21, 9 sizes within ×4 of the optimum, 1.3e22 FLOPs)
and to a designed ladder of as many runs and half the compute, inside the same range of compute.
Errors are of the forecast at 1e23 FLOPs. Both are made knowing the surface, or from the constants
of another one.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks._planted import SURFACES as CONSTANTS
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import Array
from isoflop.plan.design.candidates import Candidates, runs_around
from isoflop.plan.design.knowledge import Knowledge, know
from isoflop.plan.design.ladder import design_ladder
from isoflop.plan.optimum.optimum import optima_of_draws, optimal_params
from isoflop.runs.cost import TokenCost

LAW = ChinchillaLaw()
SYMMETRIC = (1.69, 406.4, 410.7, 0.31, 0.31)
SURFACES = {name: np.array(theta) for name, theta in {**CONSTANTS, "sym": SYMMETRIC}.items()}
NOISE = 0.005
BUDGETS = np.geomspace(1e18, 1e21, 7)
RATIOS = np.geomspace(1 / 4, 4, 9)
TARGET = 1e23
STUDIES = 500
SHARE = 0.5
GUESSES = {"knowing it": None, "guessing besiroglu-2024": "epoch", "guessing chin": "chin"}


@dataclass(frozen=True)
class Row:
    """Forecast errors of the grid and of a designed ladder, over the studies.

    Args:
        surface: planted.
        guess: what grid and design were made from.
        spread: how far its sizes may lie from the optimum.
        share: its compute over the grid's.
        n_runs: its runs.
        loss: RMS error of the log loss of the optimum, by the ladder.
        loss_of_grid: the same by the grid.
        size: RMS error of the log of the optimal size, by the ladder.
        size_of_grid: the same by the grid.
    """

    surface: str
    guess: str
    spread: float
    share: float
    n_runs: int
    loss: float
    loss_of_grid: float
    size: float
    size_of_grid: float


def rows(studies: int = STUDIES, share: float = SHARE) -> Iterator[Row]:
    """Measure every surface, guess and spread."""
    for surface, theta in SURFACES.items():
        for guess, other in GUESSES.items():
            if other == surface:
                continue
            believed = theta if other is None else SURFACES[other]
            grid = grid_on(believed)
            loss_of_grid, size_of_grid = forecast_errors(theta, grid, studies=studies, seed=0)
            for spread in (4.0, 8.0):
                design = design_ladder(
                    believe(believed),
                    share * float(grid.flops.sum()),
                    TARGET,
                    smallest=BUDGETS[0],
                    largest=BUDGETS[-1],
                    max_runs=len(grid),
                    spread=spread,
                )
                loss, size = forecast_errors(theta, design.runs, studies=studies, seed=1)
                yield Row(
                    surface,
                    guess,
                    spread,
                    design.spent / float(grid.flops.sum()),
                    len(design.runs),
                    loss,
                    loss_of_grid,
                    size,
                    size_of_grid,
                )


def believe(theta: Array) -> Knowledge:
    """Knowledge of a law's constants alone, without a run."""
    return replace(know("besiroglu-2024", noise=NOISE), thetas=theta[None], name="planted")


def grid_on(theta: Array) -> Candidates:
    """The equal-spaced grid, centred on the optima as believed."""
    centres = np.array([optimal_params(LAW, theta, c)[0] for c in BUDGETS])
    return runs_around(believe(theta), BUDGETS, centres, RATIOS)


def forecast_errors(
    theta: Array, runs: Candidates, *, studies: int, seed: int
) -> tuple[float, float]:
    """RMS errors of the forecast loss and size, in logs, over noisy studies of some runs."""
    variables = {"n_params": runs.n_params, "n_tokens": runs.n_tokens}
    noise = np.random.default_rng(seed).standard_normal((studies, len(runs)))
    losses = LAW.predict(theta, variables) * np.exp(NOISE * noise)
    problem = Problem(LAW, variables, losses, Objective("squared"))
    fitted = minimise(problem, np.repeat(theta[None], studies, axis=0), np.ones(len(runs))).theta
    n_params, loss = optima_of_draws(LAW, fitted, TARGET, TokenCost())
    best, least = optimal_params(LAW, theta, TARGET)
    return _rms(np.log(loss / least)), _rms(np.log(n_params / best))


def _rms(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--share", type=float, default=SHARE, help="Of the grid's compute.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = list(rows(options.studies, options.share))
    if options.json:
        print(json.dumps([asdict(row) for row in found]))
        return
    print(f"RMS error of the forecast at {TARGET:.0e} FLOPs, {options.studies} studies a cell")
    print(
        f"{'surface':8} {'designed':24} {'sizes':>5} {'runs':>4} {'FLOPs':>6}   loss: ladder/grid"
        "          size: ladder/grid"
    )
    for row in found:
        print(
            f"{row.surface:8} {row.guess:24} {f'x{row.spread:g}':>5} {row.n_runs:4} "
            f"{100 * row.share:5.0f}%   {100 * row.loss:.2f} / {100 * row.loss_of_grid:.2f} % "
            f"= {row.loss / row.loss_of_grid:.2f}   {100 * row.size:5.1f} / "
            f"{100 * row.size_of_grid:5.1f} % = {row.size / row.size_of_grid:.2f}"
        )


if __name__ == "__main__":
    main()
