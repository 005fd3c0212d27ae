"""How often the break detector cries wolf, and how large a break it sees.

`python -m benchmarks.break_power [--studies N] [--loss LOSS] [--json]` prints the table of
docs/reproductions/break-detector.md: 7 budgets 1e18..1e21 × 9 sizes within ×4 of the optimum on
the surface of Besiroglu et al. 2024, .5 % noise, the two largest budgets hidden.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from isoflop.fitting.frontiers.optima import Array
from isoflop.fitting.objective import LOSSES, Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.fitting.trials.excess import ALARM, measure_excess, sure_excess
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.optimum.optimum import optimal_params

LAW = ChinchillaLaw()
SURFACE = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
BUDGETS = np.geomspace(1e18, 1e21, 7)
HIDDEN_FROM = 2e20
NOISE = 0.005
STUDIES = 1000
Noise = Callable[[np.random.Generator, Array], Array]
Break = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    Args:
        name: what was planted.
        rate: share of the studies that raised an alarm.
        expected: what the reference measured, None where it did not.
    """

    name: str
    rate: float
    expected: float | None


def iid(rng: np.random.Generator, N: Array) -> Array:
    return NOISE * rng.standard_normal(len(N))


def student(rng: np.random.Generator, N: Array) -> Array:
    return NOISE / np.sqrt(3) * rng.standard_t(3, len(N))


def outliers(rng: np.random.Generator, N: Array) -> Array:
    """One run in twenty diverges by 1 to 10 %."""
    return iid(rng, N) + (rng.random(len(N)) < 0.05) * rng.uniform(0.01, 0.1, len(N))


def clustered(rng: np.random.Generator, N: Array) -> Array:
    """Runs of one size share .35 of their variance."""
    _, member = np.unique(N, return_inverse=True)
    shared = np.sqrt(0.35) * rng.standard_normal(member.max() + 1)[member]
    return NOISE * (shared + np.sqrt(0.65) * rng.standard_normal(len(N)))


def no_break(C: Array, loss: Array) -> Array:
    return np.zeros_like(C)


def lifted(share: float) -> Break:
    """Every hidden run this much above the law."""
    return lambda C, loss: np.where(C > HIDDEN_FROM, share * loss, 0.0)


def bent(nats: float, start: float = HIDDEN_FROM) -> Break:
    """A smooth break: nats times the square of log10(C / start)."""
    return lambda C, loss: nats * np.log10(np.maximum(C / start, 1.0)) ** 2


def lifted_last(share: float) -> Break:
    """The largest budget alone this much above the law, half of the hidden runs."""
    from_here = BUDGETS[-2:].mean()
    return lambda C, loss: np.where(from_here < C, share * loss, 0.0)


CELLS: tuple[tuple[str, str, Noise, Break, float | None], ...] = (
    ("no break, iid", "grid", iid, no_break, 0.055),
    ("no break, t3", "grid", student, no_break, 0.057),
    ("no break, 5 % outliers", "grid", outliers, no_break, 0.072),
    ("no break, cluster", "grid", clustered, no_break, 0.056),
    ("no break, cluster, ladder of sizes", "ladder", clustered, no_break, None),
    ("+.3 %", "grid", iid, lifted(0.003), 0.22),
    ("+.5 %", "grid", iid, lifted(0.005), 0.43),
    ("+1 %", "grid", iid, lifted(0.01), 0.91),
    ("smooth from 2e20, .146 nats at 1e23", "grid", iid, bent(0.02), 0.16),
    ("smooth from 2e20, .73 nats at 1e23", "grid", iid, bent(0.1), 0.95),
    ("+1 %, 5 % outliers", "grid", outliers, lifted(0.01), None),
    ("+1 %, t3", "grid", student, lifted(0.01), None),
    ("+2 %, the largest budget alone", "grid", iid, lifted_last(0.02), None),
    ("smooth from 2e19, .27 nats at 1e23", "grid", iid, bent(0.02, 2e19), None),
)
"""Name, design, noise, break, and what the reference measured (1000 studies)."""


def design(kind: str) -> tuple[Array, Array]:
    """N and C of the runs: sizes of their own a budget, or one ladder of sizes for all."""
    best = np.array([optimal_params(LAW, SURFACE, c)[0] for c in BUDGETS])
    if kind == "grid":
        N = best[:, None] * np.geomspace(1 / 4, 4, 9)
        return N.ravel(), np.repeat(BUDGETS, 9)
    sizes = np.geomspace(best[0] / 8, best[-1] * 8, 31)
    near = np.abs(np.log(sizes[None] / best[:, None])) <= np.log(8.01)
    rows, columns = np.nonzero(near)
    return sizes[columns], BUDGETS[rows]


def alarm_rate(
    kind: str,
    noise: Noise,
    broken: Break,
    *,
    studies: int,
    seed: int,
    objective: Objective | None = None,
) -> float:
    """Share of the studies in which the hidden runs are found above the law."""
    objective = objective or Objective()
    N, C = design(kind)
    hidden = C > HIDDEN_FROM
    runs = {"n_params": N, "n_tokens": C / (6 * N)}
    exact = LAW.predict(SURFACE, runs)
    exact = exact + broken(C, exact)
    rng = np.random.default_rng(seed)
    losses = exact * np.exp([noise(rng, N) for _ in range(studies)])
    fitted, ahead = ({k: v[rows] for k, v in runs.items()} for rows in (~hidden, hidden))
    squared = Objective("squared")
    starts = minimise(
        Problem(LAW, fitted, losses[:, ~hidden], squared),
        np.repeat(SURFACE[None], studies, axis=0),
        np.ones(int((~hidden).sum())),
    ).theta
    freedom = int((~hidden).sum()) - len(SURFACE)
    alarms = 0
    for loss, start in zip(losses, starts, strict=True):
        small = Problem(LAW, fitted, loss[~hidden], objective)
        large = Problem(LAW, ahead, loss[hidden], objective)
        excess, error, _ = measure_excess(small, large, start)
        alarms += stdtr(freedom, -excess / error) < ALARM
    return alarms / studies


def cells(studies: int = STUDIES, objective: Objective | None = None) -> list[Cell]:
    """Measure every row."""
    return [
        Cell(
            name,
            alarm_rate(kind, noise, broken, studies=studies, seed=k, objective=objective),
            expected,
        )
        for k, (name, kind, noise, broken, expected) in enumerate(CELLS)
    ]


def power_at_detectable(
    studies: int = STUDIES, objective: Objective | None = None
) -> tuple[float, float]:
    """The excess said to be seen four times in five on the grid, and how often it is."""
    from isoflop.fitting.trials.excess import detectable_excess

    N, C = design("grid")
    runs = {"n_params": N, "n_tokens": C / (6 * N)}
    hidden = C > HIDDEN_FROM
    fitted, ahead = ({k: v[rows] for k, v in runs.items()} for rows in (~hidden, hidden))
    size = detectable_excess(LAW, SURFACE, fitted, ahead, noise=NOISE)
    rate = alarm_rate("grid", iid, lifted(size), studies=studies, seed=99, objective=objective)
    return size, rate


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--loss", choices=LOSSES, default="robust", help="Of the fit.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    objective = Objective(options.loss)
    table = cells(options.studies, objective)
    size, power = power_at_detectable(options.studies, objective)
    if options.json:
        rows = [vars(cell) for cell in table]
        print(json.dumps({"cells": rows, "detectable": size, "power_there": power}))
        return
    print(f"{'planted':38}{'alarms':>8}{'reference':>11}   ({options.studies} studies)")
    for cell in table:
        print(f"{cell.name:38}{cell.rate:8.3f}{cell.expected if cell.expected else '':>11}")
    print(f"detectable 4 times in 5: {100 * size:.2f} %; seen there {power:.3f}"
          f" (1.645 + .842 = {sure_excess(10**6):.2f} standard errors)")  # fmt: skip


if __name__ == "__main__":
    main()
