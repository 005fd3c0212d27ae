"""Besiroglu et al. 2024: the parametric fit of Hoffmann's digitised runs, and how sure it is.

Legend: L = E + A/N^α + B/D^β, a exponent of N* ∝ C^a; 240 runs, Huber 1e-3 on log loss, summed.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks._hoffmann import DELTA, objective, points
from benchmarks._reproduced import Reproduced
from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw

N_RESAMPLES = 4000
"""As the paper's bootstrap."""
NAMES = {"E": "E", "A": "A", "B": "B", "alpha": "α", "beta": "β", "a": "a"}
PRINTED = {
    "E": ("1.8172", ".03", "1.769", "1.871"),
    "A": ("482.01", "124.6", "285", "744"),
    "B": ("2085.43", "1293", "1042", "5810"),
    "alpha": (".3478", ".02", ".317", ".373"),
    "beta": (".3658", ".02", ".331", ".415"),
    "a": (".5126", ".018", "", ""),
}
"""{constant: as printed, its standard error, ends of 95 %}"""
ALL_ROWS = {"E": "1.891", "A": "496", "alpha": ".349", "beta": ".453"}
SHORT = "printed above the minimum: objectives below"
DRAWS = "other draws"
ELSEWHERE = "recomputed elsewhere"


def besiroglu(data: Path) -> Iterator[Reproduced]:
    """Constants, standard errors and intervals of 240 runs; constants of all 245."""
    fit = resampled(data)
    known = {**fit.params, **fit.derived}
    draws = {name: fit.draws[:, k] for k, name in enumerate(fit.params)}
    draws["a"] = np.array([float(fit.law.derive(theta)["a"]) for theta in fit.draws])
    paper = "240 runs"
    for name, (value, *_) in PRINTED.items():
        yield Reproduced(paper, NAMES[name], value, float(known[name].value), SHORT)
    at_printed = objective("besiroglu-2024", points(data))
    yield Reproduced(ELSEWHERE, "objective at the printed constants", "1.023e-3", at_printed, "")
    at_minimum = "objective at its minimum"
    yield Reproduced(ELSEWHERE, at_minimum, "1.0182740e-3", fit.objective_value, "")
    for name, (_, error, *_) in PRINTED.items():
        what = f"standard error of {NAMES[name]}"
        found = float(draws[name].std(ddof=1))
        why = f"{found:.3f}"[1:] + "; one digit in print" if error == ".02" else DRAWS
        yield Reproduced(paper, what, error, found, why)
    for name, (_, _, *ends) in PRINTED.items():
        for end, printed, quantile in zip(("low", "high"), ends, (0.025, 0.975), strict=True):
            if printed:
                ours = float(np.quantile(draws[name], quantile))
                yield Reproduced(paper, f"{NAMES[name]}, 95 %, {end}", printed, ours, DRAWS)
    every = fit_parametric(points(data, drop=0), ChinchillaLaw(), _spec(0)).params
    for name, printed in ALL_ROWS.items():
        yield Reproduced("245 runs", NAMES[name], printed, float(every[name].value), "")


@cache
def resampled(data: Path) -> Fit:
    """The fit of 240 runs, resampled run by run."""
    return fit_parametric(points(data), ChinchillaLaw(), _spec(N_RESAMPLES))


def _spec(n_resamples: int) -> FitSpec:
    return FitSpec(Objective("huber", DELTA), n_resamples=n_resamples, interval="case", level=0.95)
