"""Muennighoff et al. 2023: the published decays, the optimum of their objective, and resamples.

Legend: R*_D, R*_N decays of repeated tokens and excess parameters; 182 runs, the single-epoch
surface held at the authors' constants (in logs a 6.255414, b 7.3049974, e .6254804, α .3526596).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.run_tables import read_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import pose_problem
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.catalog import find_published
from isoflop.laws.fixed import fix_constants
from isoflop.laws.law import Array
from isoflop.laws.repeated import RepeatedLaw

TABLE = "datablations/runs_N_D_U_loss_182.csv"
BASE = {"E": np.exp(0.6254804), "A": np.exp(6.255414), "B": np.exp(7.3049974),
        "alpha": 0.3526596, "beta": 0.3526596}  # fmt: skip
PUBLISHED = (15.387756, 5.309743)
STARTS = np.array([PUBLISHED, (95.4, 1.71), (5.0, 15.0), (500.0, 1.0)])
N_RESAMPLES, SEED = 400, 0
MORE_RESAMPLES = 4000
ENDLESS = 1e4
"""R*_D from which repeats hardly wear out within the largest number of epochs of the runs."""


def pose(data: Path) -> Problem:
    """Pose the authors' objective: Huber 1e-3 on log loss, two constants free."""
    law = fix_constants(RepeatedLaw(), BASE)
    return pose_problem(read_runs(data / TABLE), law, Objective("huber"))


def muennighoff(data: Path) -> Iterator[Reproduced]:
    """Objective and worth of repeats at the published pair."""
    problem = pose(data)
    at = float(problem.value(np.array([PUBLISHED]), np.ones(problem.n_runs))[0])
    paper = "Muennighoff 2023"
    yield Reproduced(paper, "objective at the published pair", ".0158259", at)
    entry = find_published("muennighoff-2023-repeated")
    for N, D, U, loss in ((6.34e9, 242e9, 25e9, "2.2256440889984477"),
                          (8.67e9, 178e9, 25e9, "2.2269634075087867")):  # fmt: skip
        runs = {"n_params": np.array([N]), "n_tokens": np.array([D]),
                "n_tokens_unique": np.array([U])}  # fmt: skip
        what = f"loss of {N / 1e9:g}B on {D / 1e9:g}B tokens, {U / 1e9:g}B distinct"
        yield Reproduced(paper, what, loss, float(entry.law.predict(entry.theta, runs)[0]))
    found = best_pair(problem, np.ones(problem.n_runs))
    yield Reproduced(paper, "R\\*_D", "15.387756", float(found[0]))
    yield Reproduced(paper, "R\\*_N", "5.309743", float(found[1]))


def page_lines(data: Path) -> Iterator[str]:
    """Every line of the page: published beside ours, then the resamples."""
    yield from (row.line() for row in muennighoff(data))
    yield from resample_lines(data)


def best_pair(problem: Problem, weights: Array) -> Array:
    """(R*_D, R*_N) of the lowest objective under weights (n_runs,) of the runs."""
    found = minimise(problem, STARTS, weights)
    return found.theta[int(np.argmin(found.objective))]


def resample_lines(data: Path, n_resamples: int = N_RESAMPLES) -> Iterator[str]:
    """Rows of the page: quantiles of both decays over resamples of the 182 runs."""
    pairs = resampled_pairs(data, n_resamples)
    draws = f"{n_resamples:,} resamples"
    for name, values in zip(("R\\*_D", "R\\*_N"), pairs.T, strict=True):
        shown = " | ".join(_short(q) for q in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)))
        yield f"| {name}, {draws} | {shown} |"
    low, high, endless = (
        float(np.mean(test)) for test in
        (pairs[:, 0] < PUBLISHED[0], pairs[:, 0] > 100, pairs[:, 0] > ENDLESS)
    )  # fmt: skip
    yield (
        f"| R\\*_D below 15.39, above 100, above 10,000 | {100 * low:.0f} %, {100 * high:.0f} %, "
        f"{100 * endless:.0f} % of {draws} |"
    )


def resampled_pairs(data: Path, n_resamples: int) -> Array:
    """(n_resamples, 2) of pairs refitted to runs drawn with replacement."""
    problem, rng = pose(data), np.random.default_rng(SEED)
    n = problem.n_runs
    counts = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)
    return np.array([best_pair(problem, each) for each in counts])


def _short(value: float) -> str:
    return f"{value:.1e}" if value >= 1e4 else f"{float(f'{value:.3g}'):,g}"
